import { presentBed } from '../test/e2e/bed/bed.ts';
import { eventually, kubectl, removeNamespace } from '../test/e2e/kubernetes/cluster.ts';
import { type Target, underTraffic } from '../test/e2e/traffic/traffic.ts';
import { CHANGES, type Change } from './changes/change.ts';
import { Chart } from './changes/chart.ts';
import { deployed } from './changes/cluster.ts';
import { judged, type Round, roundOf, said } from './changes/goal.ts';
import type { Row } from './row.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const CLIENTS = 3;
const SETTLE_MS = 120_000;

/** Ids of changes, separated by commas: `BENCH_CHANGES=setting,restart`; all of them by default. */
function chosen(): Change[] {
  const ids = process.env.BENCH_CHANGES?.split(',') ?? CHANGES.map(({ id }) => id);
  const unknown = ids.filter((id) => !CHANGES.some((change) => change.id === id));
  if (unknown.length > 0)
    throw new Error(`no change ${unknown}; there are ${CHANGES.map(({ id }) => id).join(', ')}`);
  return CHANGES.filter(({ id }) => ids.includes(id));
}

async function measured(target: Target, make: () => Promise<number>): Promise<Round> {
  const { value, traffic } = await underTraffic(target, () =>
    make().then(
      (ms) => ({ ms, trouble: '' }),
      (error: unknown) => ({
        ms: undefined,
        trouble: error instanceof Error ? error.message : String(error),
      }),
    ),
  );
  return roundOf(value.ms, value.trouble, traffic);
}

/** Each round on the same cluster, which has to be whole again before the next. */
export async function measure(change: Change): Promise<Row> {
  const rounds: Round[] = [];
  const at = await deployed(change.id, change.clients ?? CLIENTS);
  try {
    for (; at.round < ROUNDS; at.round++) {
      await change.prepare?.(at);
      await settled(at.lack);
      const prefix = `bench-${at.round}`;
      const round = await measured({ namespace: at.namespace, prefix }, () => change.make(at));
      rounds.push(round);
      console.log(`  ${change.id} ${at.round + 1}/${ROUNDS}: ${said(round)}`);
      // What did not work leaves no state to measure from.
      if (round.ms === undefined && (await at.lack()) !== '') break;
    }
  } finally {
    await removeNamespace(at.namespace);
    await kubectl('wait', '--for=delete', `namespace/${at.namespace}`, '--timeout=120s');
  }
  return judged(change.name, rounds, change.goal);
}

async function settled(lack: () => Promise<string>): Promise<void> {
  let found = '';
  await eventually('a whole cluster', SETTLE_MS, async () => {
    found = await lack();
    return found === '' ? true : undefined;
  }).catch((cause: unknown) => {
    throw new Error(`not whole before the change: ${found}`, { cause });
  });
}

/** What the chart takes for the same setting, on the same cluster. */
async function helm(folder: string): Promise<Row> {
  const rounds: Round[] = [];
  const chart = new Chart(folder);
  try {
    await chart.upgrade('{}');
    for (let round = 0; round < ROUNDS; round++) {
      const { namespace, servers, clients } = chart;
      const found = await measured({ namespace, servers, clients, prefix: `bench-${round}` }, async () => {
        const startMs = performance.now();
        await chart.upgrade(JSON.stringify({ session_ttl_min: `${11 + round}s` }));
        return performance.now() - startMs;
      });
      rounds.push(found);
      console.log(`  helm ${round + 1}/${ROUNDS}: ${said(found)}`);
    }
  } finally {
    await chart.remove();
  }
  const row = judged('The same setting by `helm upgrade --wait` of the consul-k8s chart', rounds, undefined);
  return { ...row, goal: 'for comparison', met: true };
}

/** Changes of a cluster, with an application beside them that writes, reads and asks DNS. */
export async function changes(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const change of chosen()) {
    if (change.bed && !presentBed()) console.log(`  ${change.id} was not run: it needs the test bed`);
    else rows.push(await measure(change));
    if (change.id !== 'setting') continue;
    const folder = process.env.CONSUL_K8S_CHART;
    if (folder) rows.push(await helm(folder));
    else console.log('  the chart was not run: CONSUL_K8S_CHART names no folder of it');
  }
  return rows;
}
