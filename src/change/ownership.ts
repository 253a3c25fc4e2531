import type { KubernetesObject, ManagedFields } from '../kubernetes/object.ts';

/** Fields as FieldsV1 has them: elements inside elements; `.` says that the container itself is meant as well. */
export interface FieldTree {
  [element: string]: FieldTree;
}

/** What this manager owns by server-side apply, in any of these states of an object. */
export function ownedFields(states: readonly (KubernetesObject | undefined)[], manager: string): FieldTree {
  const own = (entry: ManagedFields) =>
    entry.manager === manager && entry.operation === 'Apply' && !entry.subresource;
  const fields = union(states.flatMap((state) => (state?.metadata.managedFields ?? []).filter(own)));
  // What is written as `stringData` of a Secret is read as `data`, and nobody owns it there.
  const { 'f:stringData': written, ...rest } = fields;
  return written ? union([{ fieldsV1: rest }, { fieldsV1: { 'f:data': written } }]) : fields;
}

export function union(entries: readonly Pick<ManagedFields, 'fieldsV1'>[]): FieldTree {
  const all: FieldTree = {};
  for (const { fieldsV1 } of entries) merge(all, fieldsV1);
  return all;
}

function merge(into: FieldTree, fields: unknown): void {
  if (typeof fields !== 'object' || fields === null) return;
  for (const [name, below] of Object.entries(fields)) {
    const isNew = !Object.hasOwn(into, name);
    // A name such as __proto__ is a field like any other.
    if (isNew) Object.defineProperty(into, name, { value: {}, enumerable: true });
    merge(into[name] as FieldTree, below);
  }
}

/** Keys by which the API server merges lists, where a manifest is all there is to go by. */
const LIST_KEYS: Record<string, readonly (readonly string[])[]> = {
  containers: [['name']],
  initContainers: [['name']],
  ephemeralContainers: [['name']],
  env: [['name']],
  volumes: [['name']],
  imagePullSecrets: [['name']],
  volumeMounts: [['mountPath']],
  volumeDevices: [['devicePath']],
  ports: [
    ['containerPort', 'protocol'],
    ['port', 'protocol'],
  ],
  topologySpreadConstraints: [['topologyKey', 'whenUnsatisfiable']],
};

/** The fields that an apply of this manifest would own, for states that no manager is known of. */
export function fieldsOf({
  apiVersion: _,
  kind: _kind,
  metadata,
  status: _status,
  ...rest
}: KubernetesObject): FieldTree {
  const { labels, annotations } = metadata;
  return treeOf(
    { ...rest, metadata: { ...(labels && { labels }), ...(annotations && { annotations }) } },
    '',
  );
}

function treeOf(value: unknown, key: string): FieldTree {
  if (Array.isArray(value)) return treeOfList(value, key);
  if (typeof value !== 'object' || value === null) return {};
  if (Object.keys(value).length === 0) return { '.': {} };
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [`f:${name}`, treeOf(entry, name)]));
}

function treeOfList(list: readonly unknown[], key: string): FieldTree {
  const keys = LIST_KEYS[key]?.find((names) =>
    list.every((entry) => names.every((name) => has(entry, name))),
  );
  if (!keys) return {};
  return Object.fromEntries(
    list.map((entry) => {
      const named = keys.map((name) => [name, (entry as Record<string, unknown>)[name]]);
      return [`k:${JSON.stringify(Object.fromEntries(named))}`, { '.': {}, ...treeOf(entry, '') }];
    }),
  );
}

function has(entry: unknown, name: string): boolean {
  return typeof entry === 'object' && entry !== null && name in entry;
}
