import { nameIn, nameOf } from './name.ts';

/** A node of the catalog. What is decoded stays what it is only until the next record. */
export interface SnapshotNode {
  node: string;
  /** All that was registered, without the indexes of its changes. */
  content: unknown;
}

/** One instance of a service, at a node. */
export interface SnapshotService {
  service: string;
  node: string;
  id: string;
  /** Of Consul; of its servers alone. */
  version?: string;
  content: unknown;
}

/** One check of a node, or of a service at it. */
export interface SnapshotCheck {
  node: string;
  id: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What a record registers: an instance of a service, a node, or a check, of which nothing is told. */
export function registrationOf(record: Fields): SnapshotService | SnapshotNode | undefined {
  const node = nameOfPeer(record.Node, record.PeerName);
  if (isFields(record.Service)) {
    const { CreateIndex: _c, ModifyIndex: _m, ...content } = record.Service;
    const service = nameOfPeer(content.Service, content.PeerName);
    const meta = isFields(content.Meta) ? content.Meta : {};
    return {
      service,
      node,
      id: nameIn(content.ID),
      ...(service === 'consul' && meta.version instanceof Uint8Array && { version: nameOf(meta.version) }),
      content,
    };
  }
  if (isFields(record.Check)) return undefined;
  const { ID, Address, Datacenter, TaggedAddresses, NodeMeta, Locality } = record;
  return { node, content: { ID, Address, Datacenter, TaggedAddresses, NodeMeta, Locality } };
}

/** Undefined where the record registers something else. */
export function checkOf({ Node, PeerName, Check }: Fields): SnapshotCheck | undefined {
  if (!isFields(Check)) return undefined;
  return { node: nameOfPeer(Node, PeerName), id: nameIn(Check.CheckID) };
}

/** What a peer exports has its name and that of the peer. */
function nameOfPeer(name: unknown, peer: unknown): string {
  const [own, of] = [nameIn(name), nameIn(peer)];
  return of === '' ? own : `${own} of peer ${of}`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
