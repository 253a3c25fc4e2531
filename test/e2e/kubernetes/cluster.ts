import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { proxied } from './kubectl-proxy.ts';

const run = promisify(execFile);

/** kubectl is the oracle for everything about Kubernetes: it shares no code with the action. */
/** No test asks for more patience of one command than this. */
const KUBECTL_MS = 150_000;

export async function kubectl(...args: string[]): Promise<string> {
  const limits = { maxBuffer: 64 * 1024 * 1024, timeout: KUBECTL_MS };
  const { stdout } = await run(process.env.KUBECTL ?? 'kubectl', args, limits);
  return stdout;
}

export async function kubectlJson<T>(...args: string[]): Promise<T> {
  return JSON.parse(await kubectl(...args, '-o', 'json')) as T;
}

/** kubectl with this on its standard input. */
export async function kubectlFed(input: string, ...args: string[]): Promise<void> {
  const child = run(process.env.KUBECTL ?? 'kubectl', args);
  child.child.stdin?.end(input);
  await child;
}

/** Applies YAML or JSON with kubectl, as a person would. */
export async function kubectlApply(manifest: string, ...args: string[]): Promise<void> {
  await kubectlFed(manifest, 'apply', '-f', '-', ...args);
}

export interface Pod {
  metadata: { name: string; uid: string; labels: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: {
    podIP?: string;
    phase: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number; imageID: string }[];
  };
}

export async function pods(namespace: string, role?: 'server' | 'client'): Promise<Pod[]> {
  return podsOf(namespace, role ? `consul-role=${role}` : '');
}

/** The pods that a selector picks. */
export async function podsOf(namespace: string, selector: string): Promise<Pod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
  const list = await proxied<{ items: Pod[] }>(path, KUBECTL_MS);
  if (list) return list.items;
  const { items } = await kubectlJson<{ items: Pod[] }>('-n', namespace, 'get', 'pods', '-l', selector);
  return items;
}

/** Each pod, and how often its containers were started. */
export async function containers(namespace: string): Promise<string[]> {
  const found = await pods(namespace);
  return found
    .map(({ metadata, status }) => {
      const starts = status.containerStatuses?.map(({ restartCount }) => restartCount) ?? [];
      return `${metadata.uid} ${starts.join(' ')}`;
    })
    .sort();
}

/** The address of every Service, by its name. */
export async function serviceAddresses(namespace: string): Promise<Map<string, string>> {
  const { items } = await kubectlJson<{
    items: { metadata: { name: string }; spec: { clusterIP: string } }[];
  }>('-n', namespace, 'get', 'services');
  return new Map(items.map(({ metadata, spec }) => [metadata.name, spec.clusterIP]));
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/**
 * `kind/name` -> what changes with every write to it but that of its status, of everything the action may write, but its lock
 * and its record: controllers write the status whenever a pod becomes ready or not.
 */
export async function versions(namespace: string): Promise<Record<string, string>> {
  const kinds = 'serviceaccounts,configmaps,services,poddisruptionbudgets,statefulsets,daemonsets';
  const { items } = await kubectlJson<{
    items: { kind: string; metadata: Versioned }[];
  }>('-n', namespace, 'get', kinds);
  const isRecord = (object: string) => object.startsWith('ConfigMap/consul-deploy-');
  return Object.fromEntries(
    items
      .map(({ kind, metadata }) => [`${kind}/${metadata.name}`, versionOf(metadata)] as const)
      .filter(([object]) => !isRecord(object)),
  );
}

interface Versioned {
  name: string;
  resourceVersion: string;
  generation?: number;
  labels?: object;
  annotations?: object;
}

/** What has a status has a generation, which tells of its spec. */
function versionOf({ resourceVersion, generation, labels, annotations }: Versioned): string {
  return generation === undefined ? resourceVersion : JSON.stringify([generation, labels, annotations]);
}

let made = 0;

/** A name of its own for each scenario. The namespace itself is made by the action, unless told otherwise. */
export function namespaceName(scenario: string): string {
  made += 1;
  return `e2e-${scenario}-${process.pid}-${made}`;
}

/** Removes what a scenario left, without waiting for the pods to stop. */
export async function removeNamespace(name: string): Promise<void> {
  await kubectl('delete', 'namespace', name, '--ignore-not-found', '--wait=false');
}

/** Looks again until `found` returns something, at most `timeoutMs`. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  found: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await found();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Until so long after `since`: what was done lasts that long, whatever else takes its time meanwhile. */
export function lasted(since: number, ms: number): Promise<true> {
  return eventually(`${ms} ms`, ms * 2, async () => (performance.now() - since >= ms ? true : undefined));
}

/** To the agent in a pod: PID 1 only starts it, and takes no such signal. */
export async function signalAgent(
  namespace: string,
  pod: string,
  what: 'KILL' | 'STOP' | 'CONT',
): Promise<void> {
  await kubectl('-n', namespace, 'exec', pod, '--', '/bin/sh', '-c', `kill -${what} $(pidof consul)`);
}
