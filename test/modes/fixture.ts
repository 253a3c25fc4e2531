import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { Discovery } from '../../src/kubernetes/discovery.ts';
import type { Cluster } from '../../src/modes/connect.ts';
import { Run } from '../../src/modes/run.ts';
import { Log } from '../../src/report/log.ts';
import {
  type Call,
  connectTo,
  type FakeServer,
  json,
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
  /** Permissions that the user does not have, as `verb resource`. */
  denied?: string[];
  /** Paths that answer with this status. */
  broken?: Record<string, number>;
}

const KINDS: Record<string, [kind: string, resource: string, scope: string][]> = {
  '': [
    ['Namespace', 'namespaces', 'Cluster'],
    ['ServiceAccount', 'serviceaccounts', 'Namespaced'],
    ['ConfigMap', 'configmaps', 'Namespaced'],
    ['Service', 'services', 'Namespaced'],
  ],
  apps: [
    ['StatefulSet', 'statefulsets', 'Namespaced'],
    ['DaemonSet', 'daemonsets', 'Namespaced'],
  ],
  policy: [['PodDisruptionBudget', 'poddisruptionbudgets', 'Namespaced']],
  'rbac.authorization.k8s.io': [['ClusterRole', 'clusterroles', 'Cluster']],
};

export const NODES: NodeShape[] = ['a', 'b', 'c'].map((name) => ({ name }));

/** An API server over real HTTP that is asked before the first write. */
export async function startApi(shape: ClusterShape = {}): Promise<FakeServer> {
  const full = {
    namespace: {},
    nodes: NODES,
    storageClasses: [{ name: 'standard', default: true }],
    ...shape,
  };
  return startServer((call, response) => answer(call, response, full));
}

export async function startCluster(shape: ClusterShape = {}): Promise<{ cluster: Cluster; api: FakeServer }> {
  const api = await startApi(shape);
  const transport = await connectTo(api.url);
  return { cluster: { transport, discovery: await Discovery.load(transport, signal()) }, api };
}

function answer(call: Call, response: ServerResponse, shape: ClusterShape): unknown {
  const { path } = call;
  const { namespace, nodes = [], occupied = [], storageClasses = [], denied = [], broken = {} } = shape;
  const code = broken[path];
  if (code !== undefined) return status(response, code, { reason: 'Forbidden', message: 'no' });
  if (path === '/api' || path === '/apis') return json(response, 200, discovery(path));
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
    const items = nodes.map(({ name, ...spec }) => ({ metadata: { name }, spec }));
    return json(response, 200, { items });
  }
  if (path.endsWith('/pods')) {
    return json(response, 200, { items: occupied.map((nodeName) => ({ spec: { nodeName } })) });
  }
  if (path === '/apis/storage.k8s.io/v1/storageclasses') {
    const items = storageClasses.map(({ name, default: isDefault }) => ({
      metadata: {
        name,
        ...(isDefault && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
      },
    }));
    return json(response, 200, { items });
  }
  return status(response, 404, { reason: 'NotFound', message: `no ${path}` });
}

function discovery(path: string): unknown {
  const items = Object.entries(KINDS)
    .filter(([group]) => (path === '/api') === (group === ''))
    .map(([group, kinds]) => ({
      metadata: { name: group },
      versions: [
        {
          version: 'v1',
          resources: kinds.map(([kind, resource, scope]) => ({ resource, scope, responseKind: { kind } })),
        },
      ],
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items };
}
