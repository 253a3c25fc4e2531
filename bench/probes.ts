import { readFileSync } from 'node:fs';
import { deploy } from '../test/e2e/action.ts';
import { eventually, kubectl, namespaceName, removeNamespace } from '../test/e2e/cluster.ts';
import { CLIENTS, CONTAINER } from '../test/e2e/scenario.ts';
import type { Row } from './run.ts';

const AGENTS = Number(process.env.BENCH_AGENTS ?? 100);
/** Two rounds of the liveness probes. */
const MEASURED_MS = 60_000;
/** One percent of a processor for every ten agents. */
const GOAL_MILLICORES = 1;
const ROOT = '/sys/fs/cgroup';
const BED = 'consul-deploy-testbed';

/**
 * What the probes of the clients cost: the processor time of all nodes of the test bed (agents, servers, kubelets,
 * containerd and what it starts) with and without them.
 */
export async function probes(): Promise<Row[]> {
  const withProbes = await load([]);
  const without = await load(
    ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) => ({
      op: 'remove',
      path: `${CONTAINER}/${probe}`,
    })),
  );
  const each = ((withProbes - without) / AGENTS) * 1000;
  const cores = (value: number) => `${value.toFixed(2)} processors`;
  return [
    {
      name: `Probes of ${AGENTS} clients: processor time on all nodes, beside the same without probes`,
      measured: `${cores(withProbes)} beside ${cores(without)}: ${each.toFixed(1)} m for each client`,
      goal: `≤ ${GOAL_MILLICORES} m for each client`,
      met: each <= GOAL_MILLICORES,
    },
  ];
}

/** Processors in use while a cluster of this many clients is at rest. */
async function load(operations: { op: string; path: string }[]): Promise<number> {
  const namespace = namespaceName('bench-probes');
  try {
    const patches = operations.length > 0 ? JSON.stringify([{ target: CLIENTS, operations }]) : '';
    const outcome = await deploy({
      namespace,
      patches,
      timeout: '8m',
      'stable-for': '20s',
      'smoke-service': 'false',
      'server-storage': 'ephemeral',
      'client-replicas': String(AGENTS),
    });
    if (outcome.code !== 0) throw new Error(outcome.log);
    const since = performance.now();
    const before = busyMs();
    await eventually('the measured time', 2 * MEASURED_MS, async () =>
      performance.now() - since >= MEASURED_MS ? true : undefined,
    );
    return (busyMs() - before) / (performance.now() - since);
  } finally {
    await removeNamespace(namespace);
    await kubectl('wait', '--for=delete', `namespace/${namespace}`, '--timeout=180s');
  }
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
