import type { ServerResponse } from 'node:http';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import type { KubernetesObject, ManagedFields } from '../../src/kubernetes/object.ts';
import type { Cluster } from '../../src/session/cluster.ts';
import { staleGroup } from '../kubernetes/fake-discovery.ts';
import {
  type Call,
  connectTo,
  type FakeServer,
  json,
  page,
  signal,
  startServer,
  status,
} from '../kubernetes/fake-server.ts';
import { discoveryAnswer, RESOURCES } from './fixture.ts';

/** An API server over real HTTP that keeps objects: reads, lists, server-side applies, creations and removals of them. */
export interface FakeApi {
  cluster: Cluster;
  server: FakeServer;
  /** By path, such as `/api/v1/namespaces/consul/services/consul-ui`. */
  objects: Map<string, KubernetesObject>;
  put: (...objects: KubernetesObject[]) => void;
  /** `DELETE services/consul-ui`, in the order in which they came. */
  writes: () => string[];
}

/** Answers before the store does, where it returns true. */
export type Instead = (
  call: Call,
  response: ServerResponse,
  objects: FakeApi['objects'],
) => boolean | undefined;

/** An API server that does not know what `example.com/v1` holds now: its add-on does not answer. */
export const staleDiscovery: Instead = ({ path }, response) => {
  if (path !== '/apis') return undefined;
  const answer = discoveryAnswer(path) as { items: object[] };
  json(response, 200, { ...answer, items: [...answer.items, staleGroup('example.com')] });
  return true;
};

/** @param pageSize objects on a page of a list */
export async function startFakeApi(instead: Instead = () => undefined, pageSize?: number): Promise<FakeApi> {
  const objects: FakeApi['objects'] = new Map();
  let version = 0;
  const store = (path: string, object: KubernetesObject) => {
    const metadata = {
      uid: `uid-${object.metadata.name}`,
      ...objects.get(path)?.metadata,
      ...object.metadata,
    };
    const kept = { ...object, metadata: { ...metadata, resourceVersion: String(++version) } };
    objects.set(path, kept);
    return kept;
  };
  const server = await startServer((call, response) => {
    const { path, method } = call;
    if (instead(call, response, objects)) return;
    if (path === '/api' || path === '/apis') return json(response, 200, discoveryAnswer(path));
    const live = objects.get(path);
    if (method === 'PATCH') {
      const managers = (live?.metadata.managedFields ?? []).filter(
        ({ manager }) => manager !== 'consul-deploy',
      );
      const body = JSON.parse(call.body) as KubernetesObject;
      return json(
        response,
        200,
        store(path, { ...body, metadata: { ...body.metadata, managedFields: [...managers, OURS] } }),
      );
    }
    if (method === 'POST') {
      const body = JSON.parse(call.body) as KubernetesObject;
      const created = `${path}/${body.metadata.name}`;
      if (!objects.has(created)) return json(response, 201, store(created, body));
      return status(response, 409, { reason: 'AlreadyExists', message: `${created} already exists` });
    }
    if (
      method === 'GET' &&
      !live &&
      (isCollection(path) || [...objects.keys()].some((key) => isIn(path, key)))
    ) {
      const items = [...objects].filter(([key]) => isIn(path, key)).map(([, object]) => object);
      return json(response, 200, page(call, items, pageSize));
    }
    if (!live) return status(response, 404, { reason: 'NotFound', message: `no ${path}` });
    if (method === 'DELETE') return remove(call, live, objects, response);
    return json(response, 200, live);
  });
  const transport = await connectTo(server.url);
  const cluster = { transport, discovery: await Discovery.load(transport, signal()) };
  const put = (...all: KubernetesObject[]) => {
    for (const one of all) store(pathOf(one), one);
  };
  const writes = () =>
    server.calls
      .filter(({ method, query }) => method !== 'GET' && query.get('dryRun') === null)
      .map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`);
  return { cluster, server, objects, put, writes };
}

function remove(
  call: Call,
  live: KubernetesObject,
  objects: FakeApi['objects'],
  response: ServerResponse,
): unknown {
  const { preconditions = {} } = JSON.parse(call.body || '{}') as { preconditions?: Record<string, string> };
  const { uid, resourceVersion } = live.metadata;
  if (preconditions.uid !== undefined && preconditions.uid !== uid) {
    return status(response, 409, {
      reason: 'Conflict',
      message: 'Precondition failed: UID in precondition: differs',
    });
  }
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    return status(response, 409, {
      reason: 'Conflict',
      message: 'Precondition failed: ResourceVersion in precondition',
    });
  }
  objects.delete(call.path);
  return json(response, 200, { kind: 'Status', status: 'Success' });
}

const COLLECTIONS = new Set(Object.values(RESOURCES).map(([, resource]) => resource));

function isCollection(path: string): boolean {
  return COLLECTIONS.has(path.slice(path.lastIndexOf('/') + 1));
}

/** Of one namespace, or of all. */
function isIn(collection: string, path: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+/, '') === collection;
}

export function pathOf({ kind, metadata }: KubernetesObject): string {
  const [group, resource, scope] = RESOURCES[kind] ?? ['', `${kind.toLowerCase()}s`, 'Namespaced'];
  const base = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  const within = scope === 'Namespaced' ? `/namespaces/${metadata.namespace ?? 'consul'}` : '';
  return `${base}${within}/${resource}/${metadata.name}`;
}

const OURS: ManagedFields = {
  manager: 'consul-deploy',
  operation: 'Apply',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:spec': {} },
};

/** As an earlier deploy of ours has left it. */
export function deployed(
  kind: string,
  name: string,
  metadata: object = {},
  rest: object = {},
): KubernetesObject {
  const [group = '', , scope] = RESOURCES[kind] ?? [];
  return {
    apiVersion: group === '' ? 'v1' : `${group}/v1`,
    kind,
    metadata: {
      name,
      ...(scope === 'Namespaced' && { namespace: 'consul' }),
      uid: `uid-${name}`,
      managedFields: [OURS],
      ...metadata,
    },
    ...rest,
  };
}
