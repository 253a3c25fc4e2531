import { readFileSync } from 'node:fs';
import { members } from '../test/e2e/consul/consul.ts';
import {
  eventually,
  isReady,
  kubectl,
  lasted,
  namespaceName,
  pods,
  removeNamespace,
} from '../test/e2e/kubernetes/cluster.ts';
import { deploy } from '../test/e2e/run/action.ts';
import { CLIENTS, CONTAINER } from '../test/e2e/run/scenario.ts';
import type { Row } from './row.ts';

const AGENTS = Number(process.env.BENCH_AGENTS ?? 100);
/** So many start at once: two processors do not start a hundred. */
const STEP = 20;
const SERVERS = 3;
/** Two rounds of the liveness probes. */
const MEASURED_MS = 60_000;
/** One percent of a processor for every ten agents. */
const GOAL_MILLICORES = 1;
const ROOT = '/sys/fs/cgroup';
const BED = 'consul-deploy-testbed';

/**
 * What the probes of the clients cost: the processor time of all nodes of the test bed (agents, servers, kubelets,
 * containerd and what it starts) with them, without those that start processes, and without any.
 */
export async function probes(): Promise<Row[]> {
  const all = await load([]);
  const requestsOnly = await load(['livenessProbe']);
  const none = await load(['startupProbe', 'readinessProbe', 'livenessProbe']);
  const each = (more: number) => ((more - none) / AGENTS) * 1000;
  const cores = (value: number) => `${value.toFixed(2)} processors`;
  return [
    {
      name: `Probes of ${AGENTS} clients: processor time on all nodes, beside the same without liveness and without any probe`,
      measured: `${cores(all)} beside ${requestsOnly.toFixed(2)} and ${none.toFixed(2)}: ${each(all).toFixed(1)} m for each client, ${each(requestsOnly).toFixed(1)} m of them for readiness`,
      goal: `≤ ${GOAL_MILLICORES} m for each client`,
      met: each(all) <= GOAL_MILLICORES,
    },
  ];
}

/** Processors in use while a cluster of this many clients is at rest. */
async function load(without: readonly string[]): Promise<number> {
  const namespace = namespaceName('bench-probes');
  const operations = without.map((probe) => ({ op: 'remove', path: `${CONTAINER}/${probe}` }));
  try {
    const outcome = await deploy({
      namespace,
      patches: operations.length > 0 ? JSON.stringify([{ target: CLIENTS, operations }]) : '',
      timeout: '8m',
      'smoke-service': 'false',
      'server-storage': 'ephemeral',
      'client-replicas': String(Math.min(STEP, AGENTS)),
    });
    if (outcome.code !== 0) throw new Error(outcome.log);
    for (let agents = STEP; agents < AGENTS; ) {
      agents = Math.min(agents + STEP, AGENTS);
      await kubectl('-n', namespace, 'scale', 'statefulset/consul-client', `--replicas=${agents}`);
      await settled(namespace, agents);
    }
    // What follows a start is over within a minute.
    await busy();
    return await busy();
  } finally {
    await removeNamespace(namespace);
    await kubectl('wait', '--for=delete', `namespace/${namespace}`, '--timeout=300s');
  }
}

/** All are members, and ready: one that is not yet asks more often. */
async function settled(namespace: string, agents: number): Promise<void> {
  const [server] = await pods(namespace, 'server');
  let lack = '';
  await eventually(`${agents} clients to be members and ready`, 300_000, async () => {
    const alive = (await members(server?.status.podIP ?? '')).filter(({ Status }) => Status === 1).length;
    const ready = (await pods(namespace)).filter(isReady).length;
    lack = `${alive} members, ${ready} pods ready`;
    return alive === SERVERS + agents && ready === SERVERS + agents ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`of ${SERVERS + agents} agents: ${lack}`, { cause: error });
  });
}

/** Processors in use, on average over the measured time. */
async function busy(): Promise<number> {
  const since = performance.now();
  const before = busyMs();
  await lasted(since, MEASURED_MS);
  return (busyMs() - before) / (performance.now() - since);
}

/** Processor time that the nodes of the test bed have had. */
function busyMs(): number {
  return ['n1', 'n2', 'n3'].map(nodeMs).reduce((sum, ms) => sum + ms, 0);
}

function nodeMs(node: string): number {
  try {
    return Number(readFileSync(`${ROOT}/cpuacct/${BED}/${node}/cpuacct.usage`, 'utf8')) / 1e6;
  } catch {
    const [, micros = '0'] =
      /usage_usec (\d+)/.exec(readFileSync(`${ROOT}/${BED}/${node}/cpu.stat`, 'utf8')) ?? [];
    return Number(micros) / 1e3;
  }
}
