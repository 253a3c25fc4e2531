import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** kubectl is the oracle for everything about Kubernetes: it shares no code with the action. */
export async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run(process.env.KUBECTL ?? 'kubectl', args, { maxBuffer: 64 * 1024 * 1024 });
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
  const selector = role ? [`-l=consul-role=${role}`] : [];
  const { items } = await kubectlJson<{ items: Pod[] }>('-n', namespace, 'get', 'pods', ...selector);
  return items;
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

/** `kind/name` -> resourceVersion of everything the action may write, but its lock and its record. */
export async function versions(namespace: string): Promise<Record<string, string>> {
  const kinds = 'serviceaccounts,configmaps,services,poddisruptionbudgets,statefulsets,daemonsets';
  const { items } = await kubectlJson<{
    items: { kind: string; metadata: { name: string; resourceVersion: string } }[];
  }>('-n', namespace, 'get', kinds);
  const isRecord = (object: string) => object.startsWith('ConfigMap/consul-deploy-');
  return Object.fromEntries(
    items
      .map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion] as const)
      .filter(([object]) => !isRecord(object)),
  );
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
