import { expect } from 'vitest';
import { isReady, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import type { Traffic } from '../traffic/traffic.ts';
import type { Outcome } from './action.ts';

/** Of a test: one after the other within a cluster, where clusters are side by side (`describe.concurrent`). */
export const IN_TURN = { concurrent: false };

/** Small and thrown away; everything but the fault is up long before the deadline. */
export const SMALL = {
  timeout: '4m',
  'stable-for': '0s',
  'server-storage': 'ephemeral',
  'client-replicas': '2',
};

/** One that lasts: what its agents hold outlives their pods. The lock of a run that was killed would last for another minute. */
export const LIVING = {
  ...SMALL,
  'stable-for': '2s',
  'server-storage': '1Gi',
  'server-addresses': 'service',
  lock: 'false',
};

/** For what no quorum has a part in: one server is one at once. */
export const ONE_SERVER = { ...SMALL, servers: '1' };

/** The smallest cluster that proves something: what is tested here is what becomes of the objects. */
export const TINY = {
  'stable-for': '0s',
  servers: '1',
  'client-replicas': '2',
  'server-storage': 'ephemeral',
  'smoke-service': 'false',
  'smoke-dns': 'false',
};

/** A test in a namespace of its own, which goes with it: what has failed would go on trying. */
export function within(scenario: string, test: (namespace: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const namespace = namespaceName(scenario);
    try {
      await test(namespace);
    } finally {
      await removeNamespace(namespace);
    }
  };
}

export function expectRed(
  { code, log, outputs, report, summary }: Outcome,
  reason: string,
  headline = 'Consul is not proven',
): void {
  expect(code, log).toBe(1);
  expect(outputs, log).toMatchObject({ result: 'failure', 'failure-reason': reason });
  expect(report?.result).toBe('failure');
  expect(report?.failure?.reason).toBe(reason);
  expect(summary).toContain(headline);
  expect(summary).toContain(`docs/troubleshooting.md#${reason}`);
}

/** Each of these was replaced after the one before, with a bar on the timeline and a line in the log. */
export function expectReplaced({ log, report, summary }: Outcome, names: readonly string[]): void {
  const steps = report?.phases.flatMap((phase) => phase.steps ?? []) ?? [];
  expect(steps.map(({ name, status }) => [name, status])).toEqual(names.map((name) => [name, 'passed']));
  steps.forEach(({ startMs, endMs }, index) => {
    expect(endMs).toBeGreaterThan(startMs);
    expect(startMs).toBeGreaterThanOrEqual(steps[index - 1]?.endMs ?? 0);
  });
  for (const name of names) {
    expect(log).toMatch(new RegExp(`${name} was replaced in [0-9.]+ (s|min)`));
    expect(summary).toMatch(new RegExp(`^ {4}${name}, [0-9.]+ (s|min).* :[0-9:.]+, [0-9:.]+$`, 'm'));
  }
}

export interface Told {
  /** Words of the cause. */
  what: string | RegExp;
  /** `Kind/name`; servers together have none. */
  where?: string | RegExp;
  /** Words of the cure. */
  hint: string | RegExp;
}

/** So long after its grace the verdict may come on a loaded machine; benchmarks measure how long it is. */
const LATE_MS = 30_000;

/** Red for this reason, with cause, object and cure, and soon after the documented grace. */
export function expectTold(outcome: Outcome, reason: string, { what, where, hint }: Told): void {
  expectRed(outcome, reason);
  const failure = outcome.report?.failure;
  expect(failure?.what, outcome.log).toMatch(what);
  expect(failure?.hint, outcome.log).toMatch(hint);
  if (where !== undefined) expect(failure?.where, outcome.log).toMatch(where);
  const { detection } = failure ?? {};
  if (!detection) throw new Error(`no detection in the report:\n${outcome.log}`);
  expect(detection.seenMs).toBeGreaterThan(0);
  expect(detection.dueMs).toBeGreaterThanOrEqual(detection.seenMs);
  expect((outcome.report?.durationMs ?? 0) - detection.dueMs).toBeLessThan(LATE_MS);
}

export type Workload = { kind: 'StatefulSet'; name: 'consul-server' | 'consul-client' };
export const SERVERS: Workload = { kind: 'StatefulSet', name: 'consul-server' };
export const CLIENTS: Workload = { kind: 'StatefulSet', name: 'consul-client' };
export const CONTAINER = '/spec/template/spec/containers/0';

/** Puts shell before the image's entry point: it may change the agent's arguments, for one pod alone. */
export function meddle(target: Workload, script: string) {
  const value = ['/bin/sh', '-c', `${script}\nexec docker-entrypoint.sh "$@"`, 'consul'];
  return { target, operations: [{ op: 'add', path: `${CONTAINER}/command`, value }] };
}

/** Changes the pod templates of these and nothing that their agents read, so that every pod is replaced. */
export function replaced(value: string, ...targets: readonly Target[]): { patches: string } {
  const merge = { spec: { template: { metadata: { annotations: { 'example.com/replaced-for': value } } } } };
  return { patches: JSON.stringify(targets.map((target) => ({ target, merge }))) };
}

interface Target {
  kind: 'StatefulSet' | 'DaemonSet';
  name: Workload['name'];
}

export async function readyNames(namespace: string): Promise<string[]> {
  return (await pods(namespace))
    .filter(isReady)
    .map(({ metadata }) => metadata.name)
    .sort();
}

export async function address(namespace: string, pod: string): Promise<string> {
  const found = (await pods(namespace)).find(({ metadata }) => metadata.name === pod);
  if (!found?.status.podIP) throw new Error(`${pod} has no address`);
  return found.status.podIP;
}

/** No acknowledged key is lost. */
export async function expectUnnoticed({ writes, lost }: Traffic): Promise<void> {
  expect(writes.acknowledged.size).toBeGreaterThan(0);
  expect(await lost()).toEqual([]);
}
