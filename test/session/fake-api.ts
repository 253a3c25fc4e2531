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
import { discoveryAnswer, isCollection, isIn, isSelected, pathOf, RESOURCES } from './resources.ts';

/** What an API server over real HTTP keeps, and what it was asked. */
export interface FakeStore {
  server: FakeServer;
  /** By path, such as `/api/v1/namespaces/consul/services/consul-ui`. */
  objects: Map<string, KubernetesObject>;
  put: (...objects: KubernetesObject[]) => void;
  /** `DELETE services/consul-ui`, in the order in which they came, without dry runs. */
  writes: () => string[];
}

export interface FakeApi extends FakeStore {
  cluster: Cluster;
}

/** Answers before the store does, where it returns true. */
export type Instead = (
  call: Call,
  response: ServerResponse,
  objects: FakeStore['objects'],
) => boolean | undefined;

export interface ApiOptions {
  /** Objects on a page of a list. */
  pageSize?: number | undefined;
  /** Permissions that the user does not have, as `verb resource`. */
  denied?: readonly string[];
  /** Nothing can be written into a namespace that does not exist. */
  needsNamespace?: boolean;
}

/** An API server that does not know what `example.com/v1` holds now: its add-on does not answer. */
export const staleDiscovery: Instead = ({ path }, response) => {
  if (path !== '/apis') return undefined;
  const answer = discoveryAnswer(path) as { items: object[] };
  json(response, 200, { ...answer, items: [...answer.items, staleGroup('example.com')] });
  return true;
};

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/**
 * The one fake API server: over real HTTP it keeps objects, and takes reads, lists, dry runs, server-side applies, creations,
 * updates and removals of them. Nobody has asked it anything yet.
 */
export async function serveObjects(
  instead: Instead = () => undefined,
  { pageSize, denied = [], needsNamespace = false }: ApiOptions = {},
): Promise<FakeStore> {
  const objects: FakeStore['objects'] = new Map();
  let version = 0;
  const versioned = (path: string, object: KubernetesObject) => {
    const metadata = {
      uid: `uid-${object.metadata.name}`,
      ...objects.get(path)?.metadata,
      ...object.metadata,
    };
    return { ...object, metadata: { ...metadata, resourceVersion: String(++version) } };
  };
  const store = (path: string, object: KubernetesObject, isDryRun = false) => {
    const kept = versioned(path, object);
    if (!isDryRun) objects.set(path, kept);
    return kept;
  };
  const answer = (call: Call, response: ServerResponse): unknown => {
    const { path, method, query } = call;
    if (path === '/api' || path === '/apis') return json(response, 200, discoveryAnswer(path));
    if (path === '/version') return json(response, 200, { gitVersion: 'v1.34.1' });
    if (path === REVIEWS) {
      const { verb, resource } = JSON.parse(call.body).spec.resourceAttributes;
      return json(response, 201, { status: { allowed: !denied.includes(`${verb} ${resource}`) } });
    }
    const [, namespace] = /^\/api.*\/namespaces\/([^/]+)\//.exec(path) ?? [];
    if (needsNamespace && method !== 'GET' && namespace && !objects.has(`/api/v1/namespaces/${namespace}`)) {
      const details = { kind: 'namespaces', name: namespace };
      return status(response, 404, { reason: 'NotFound', message: 'no namespace', details });
    }
    const live = objects.get(path);
    const isDryRun = query.get('dryRun') === 'All';
    if (method === 'PATCH') {
      const managers = (live?.metadata.managedFields ?? []).filter(
        ({ manager }) => manager !== 'consul-deploy',
      );
      const body = JSON.parse(call.body) as KubernetesObject;
      const metadata = { ...body.metadata, managedFields: [...managers, OURS] };
      return json(response, 200, store(path, { ...body, metadata }, isDryRun));
    }
    if (method === 'POST') {
      const body = JSON.parse(call.body) as KubernetesObject;
      const created = `${path}/${body.metadata.name}`;
      if (!objects.has(created)) return json(response, 201, store(created, body, isDryRun));
      return status(response, 409, { reason: 'AlreadyExists', message: `${created} already exists` });
    }
    if (
      method === 'GET' &&
      !live &&
      (isCollection(path) || [...objects.keys()].some((key) => isIn(path, key)))
    ) {
      const selector = query.get('labelSelector');
      const items = [...objects]
        .filter(([key, { metadata }]) => isIn(path, key) && isSelected(selector, metadata.labels))
        .map(([, object]) => object);
      return json(response, 200, page(call, items, pageSize));
    }
    if (!live) return status(response, 404, { reason: 'NotFound', message: `no ${path}` });
    if (method === 'PUT') return update(call, live, store, response);
    if (method === 'DELETE') return remove(call, live, objects, response);
    return json(response, 200, live);
  };
  const server = await startServer(
    (call, response) => instead(call, response, objects) || answer(call, response),
  );
  const put = (...all: KubernetesObject[]) => {
    for (const one of all) store(pathOf(one), one);
  };
  const writes = () =>
    server.calls
      .filter(
        ({ method, path, query }) => method !== 'GET' && path !== REVIEWS && query.get('dryRun') === null,
      )
      .map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`);
  return { server, objects, put, writes };
}

/** The same, and a connection to it. */
export async function startFakeApi(instead?: Instead, options?: ApiOptions): Promise<FakeApi> {
  const store = await serveObjects(instead, options);
  return { ...store, cluster: await clusterAt(store.server) };
}

export async function clusterAt({ url }: Pick<FakeServer, 'url'>): Promise<Cluster> {
  const transport = await connectTo(url);
  return { transport, discovery: await Discovery.load(transport, signal()) };
}

function update(
  { path, body }: Call,
  live: KubernetesObject,
  store: (path: string, object: KubernetesObject) => KubernetesObject,
  response: ServerResponse,
): unknown {
  const object = JSON.parse(body) as KubernetesObject;
  const { resourceVersion } = object.metadata;
  if (resourceVersion === undefined || resourceVersion === live.metadata.resourceVersion) {
    return json(response, 200, store(path, object));
  }
  return status(response, 409, { reason: 'Conflict', message: 'the object has been modified' });
}

function remove(
  call: Call,
  live: KubernetesObject,
  objects: FakeStore['objects'],
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

export const OURS: ManagedFields = {
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
