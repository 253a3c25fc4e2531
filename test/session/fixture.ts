import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { frozen } from '../../src/config/frozen.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { Log } from '../../src/report/log.ts';
import type { Cluster } from '../../src/session/cluster.ts';
import { Run } from '../../src/session/run.ts';
import { type Call, type FakeServer, status } from '../kubernetes/fake-server.ts';
import { clusterAt, serveObjects } from './fake-api.ts';

export function config(change: Partial<Config> = {}): Config {
  return frozen({ ...parseConfig({}), ...change });
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
  /** Paths that answer with this object. */
  objects?: Record<string, KubernetesObject>;
  /** Paths that answer with this status. */
  broken?: Record<string, number>;
}

export const NODES: NodeShape[] = ['a', 'b', 'c'].map((name) => ({ name }));

/**
 * An API server over real HTTP with what a deploy looks at before its first write.
 * @param instead answers before it does, where it returns true
 */
export async function startApi(
  shape: ClusterShape = {},
  instead: (call: Call, response: ServerResponse) => boolean = () => false,
): Promise<FakeServer> {
  const { namespace, nodes = NODES, occupied = [], quotas = [], broken = {}, pageSize, denied = [] } = shape;
  const { storageClasses = [{ name: 'standard', default: true }] } = shape;
  const { server, objects, put } = await serveObjects(
    (call, response) => {
      if (instead(call, response)) return true;
      const code = broken[call.path];
      if (code !== undefined) status(response, code, { reason: 'Forbidden', message: 'no' });
      return code !== undefined;
    },
    { pageSize, denied, needsNamespace: true },
  );
  if (namespace || !('namespace' in shape)) put(core('Namespace', 'consul', namespace));
  const linux = { 'kubernetes.io/os': 'linux' };
  for (const { name, labels = linux, ...spec } of nodes) put({ ...core('Node', name, { labels }), spec });
  for (const [at, nodeName] of occupied.entries()) {
    const labels = { app: 'consul', 'consul-role': 'server' };
    put({ ...core('Pod', `server-${at}`, { namespace: 'consul', labels }), spec: { nodeName } });
  }
  for (const [at, quota] of quotas.entries()) {
    const metadata = { name: `quota-${at}`, namespace: 'consul' };
    put({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, ...quota });
  }
  for (const { name, default: isDefault } of storageClasses) {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    put(core('StorageClass', name, isDefault ? { annotations } : {}));
  }
  for (const [path, object] of Object.entries(shape.objects ?? {})) objects.set(path, object);
  return server;
}

function core(kind: string, name: string, metadata: object = {}): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name, ...metadata } };
}

export async function startCluster(shape: ClusterShape = {}): Promise<{ cluster: Cluster; api: FakeServer }> {
  const api = await startApi(shape);
  return { cluster: await clusterAt(api), api };
}
