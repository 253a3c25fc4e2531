import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { Log } from '../../src/report/log.ts';
import type { Cluster } from '../../src/session/cluster.ts';
import { Run } from '../../src/session/run.ts';
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

export function config(change: Partial<Config> = {}): Config {
  return { ...parseConfig({}), ...change };
}

/** A run that ends with the test, and the lines of its log. */
export function startRun(change: Partial<Config> = {}): { run: Run; lines: string[] } {
  const lines: string[] = [];
  const log = new Log({ style: 'plain', level: 'debug', write: (line) => lines.push(line) });
  const run = new Run(config(change), log);
  onTestFinished(() => run.close());
  return { run, lines };
}

export interface NodeShape {
  name: string;
  /** Linux, where nothing else is said. */
  labels?: Record<string, string>;
  unschedulable?: boolean;
  taints?: { key: string; value?: string; effect: string }[];
}

export interface ClusterShape {
  /** Undefined: it does not exist. */
  namespace?: { deletionTimestamp?: string } | undefined;
  nodes?: NodeShape[];
  /** Nodes that run a server already. */
  occupied?: string[];
  storageClasses?: { name: string; default?: boolean }[];
  quotas?: object[];
  /** Objects on a page of a list. */
  pageSize?: number;
  /** Permissions that the user does not have, as `verb resource`. */
  denied?: string[];
  /** Dry runs of an apply are answered with what was sent, and locks are given. */
  accepts?: boolean;
  /** Paths that answer with this object. */
  objects?: Record<string, KubernetesObject>;
  /** Paths that answer with this status. */
  broken?: Record<string, number>;
}

/** Kind -> its group, its name in paths, its scope. */
export const RESOURCES: Record<string, [group: string, resource: string, scope: 'Cluster' | 'Namespaced']> = {
  Namespace: ['', 'namespaces', 'Cluster'],
  ServiceAccount: ['', 'serviceaccounts', 'Namespaced'],
  ConfigMap: ['', 'configmaps', 'Namespaced'],
  Secret: ['', 'secrets', 'Namespaced'],
  Service: ['', 'services', 'Namespaced'],
  Pod: ['', 'pods', 'Namespaced'],
  PersistentVolumeClaim: ['', 'persistentvolumeclaims', 'Namespaced'],
  StatefulSet: ['apps', 'statefulsets', 'Namespaced'],
  DaemonSet: ['apps', 'daemonsets', 'Namespaced'],
  PodDisruptionBudget: ['policy', 'poddisruptionbudgets', 'Namespaced'],
  Lease: ['coordination.k8s.io', 'leases', 'Namespaced'],
  ClusterRole: ['rbac.authorization.k8s.io', 'clusterroles', 'Cluster'],
};

export const NODES: NodeShape[] = ['a', 'b', 'c'].map((name) => ({ name }));

/**
 * An API server over real HTTP that is asked before the first write.
 * @param instead answers before it does, where it returns true
 */
export async function startApi(
  shape: ClusterShape = {},
  instead: (call: Call, response: ServerResponse) => boolean = () => false,
): Promise<FakeServer> {
  const full = {
    namespace: {},
    nodes: NODES,
    storageClasses: [{ name: 'standard', default: true }],
    ...shape,
  };
  return startServer((call, response) => instead(call, response) || answer(call, response, full));
}

export async function startCluster(shape: ClusterShape = {}): Promise<{ cluster: Cluster; api: FakeServer }> {
  const api = await startApi(shape);
  const transport = await connectTo(api.url);
  return { cluster: { transport, discovery: await Discovery.load(transport, signal()) }, api };
}

function answer(call: Call, response: ServerResponse, shape: ClusterShape): unknown {
  const { method, path } = call;
  const { namespace, nodes = [], occupied = [], storageClasses = [], denied = [], broken = {} } = shape;
  const code = broken[path];
  if (code !== undefined) return status(response, code, { reason: 'Forbidden', message: 'no' });
  const object = method === 'GET' ? shape.objects?.[path] : undefined;
  if (object) return json(response, 200, object);
  if (path === '/api' || path === '/apis') return json(response, 200, discoveryAnswer(path));
  if (path === '/version') return json(response, 200, { gitVersion: 'v1.34.1' });
  if (path === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews') {
    const { verb, resource } = JSON.parse(call.body).spec.resourceAttributes;
    return json(response, 201, { status: { allowed: !denied.includes(`${verb} ${resource}`) } });
  }
  if (path === '/api/v1/namespaces/consul' && namespace) {
    return json(response, 200, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'consul', ...namespace },
    });
  }
  if (path === '/api/v1/nodes') {
    const linux = { 'kubernetes.io/os': 'linux' };
    const items = nodes.map(({ name, labels = linux, ...spec }) => ({ metadata: { name, labels }, spec }));
    return json(response, 200, page(call, items, shape.pageSize));
  }
  if (path.endsWith('/pods')) {
    const items = occupied.map((nodeName) => ({ metadata: {}, spec: { nodeName } }));
    return json(response, 200, page(call, items, shape.pageSize));
  }
  if (path.endsWith('/resourcequotas')) return json(response, 200, { items: shape.quotas ?? [] });
  if (path === '/apis/storage.k8s.io/v1/storageclasses') {
    const items = storageClasses.map(({ name, default: isDefault }) => ({
      metadata: {
        name,
        ...(isDefault && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
      },
    }));
    return json(response, 200, { items });
  }
  if (shape.accepts && accept(call, response, namespace)) return;
  return status(response, 404, { reason: 'NotFound', message: `no ${path}` });
}

function accept({ method, path, query, body }: Call, response: ServerResponse, namespace: unknown): boolean {
  if (method === 'GET') return false;
  if (path.startsWith('/api/v1/namespaces/consul/') || path.startsWith('/apis/')) {
    const details = { kind: 'namespaces', name: 'consul' };
    if (!namespace) {
      status(response, 404, { reason: 'NotFound', message: 'no namespace', details });
      return true;
    }
  }
  if (query.get('dryRun') !== 'All' && !path.includes('/leases')) return false;
  json(response, 200, JSON.parse(body));
  return true;
}

export function discoveryAnswer(path: string): unknown {
  const groups = new Set(Object.values(RESOURCES).map(([group]) => group));
  const items = [...groups]
    .filter((group) => (path === '/api') === (group === ''))
    .map((group) => ({
      metadata: { name: group },
      versions: [
        {
          version: 'v1',
          resources: Object.entries(RESOURCES)
            .filter(([, [of]]) => of === group)
            .map(([kind, [, resource, scope]]) => ({ resource, scope, responseKind: { kind } })),
        },
      ],
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items };
}
