import { kubectl } from '../test/e2e/kubernetes/cluster.ts';
import { deploy, type Outcome } from '../test/e2e/run/action.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

const FRESH = 40;
const AGAIN = 10;
const WORST_FRESH = 10_000;
const WORST_AGAIN = 12_000;

/** From the first write until all 13 pods are ready and the quorum is proven, in ms; undefined if it was not. */
export function formed({ report }: Outcome): number | undefined {
  if (report?.result !== 'success') return undefined;
  const { 'first-write': start, 'servers-ready': servers, 'clients-ready': clients, quorum } = report.timings;
  if (start === undefined || servers === undefined || clients === undefined || quorum === undefined)
    return undefined;
  return Math.max(servers, clients, quorum) - start;
}

/** Waits until the pods are gone, so that their end does not take the processors of the next beginning. */
export async function remove(namespace: string, wait: boolean): Promise<void> {
  await kubectl('-n', namespace, 'delete', 'statefulsets', '--all', '--cascade=orphan');
  await kubectl('-n', namespace, 'delete', 'pods', '--all', '--grace-period=1', '--timeout=60s');
  await kubectl('delete', 'namespace', namespace, `--wait=${wait}`, '--timeout=120s');
}

async function measure(
  runs: number,
  worst: number,
  again: boolean,
  namespace: (run: number) => string,
): Promise<(number | undefined)[]> {
  const times: (number | undefined)[] = [];
  for (let run = 1; run <= runs; run++) {
    const name = namespace(run);
    const outcome = await deploy({ namespace: name, 'stable-for': '0s', timeout: '90s' });
    const time = formed(outcome);
    times.push(time);
    console.log(`  ${run}/${runs} ${time === undefined ? 'not formed' : `${(time / 1000).toFixed(1)} s`}`);
    // A figure alone does not tell what it waited for.
    if (time === undefined || time > worst) {
      console.log(outcome.log);
      console.log(await kubectl('-n', name, 'get', 'events', '--sort-by=.lastTimestamp'));
    }
    await remove(name, again);
  }
  return times;
}

function rows(
  times: readonly (number | undefined)[],
  what: string,
  median: number | undefined,
  worst: number,
): Row[] {
  const good = times.filter((time) => time !== undefined);
  const sample = new Sample(good);
  const all = good.length === times.length;
  const fast = sample.max <= worst && (median === undefined || sample.median <= median);
  const goal = `${times.length} of ${times.length} green, ${median === undefined ? '' : `median ≤ ${median / 1000} s, `}none over ${worst / 1000} s`;
  return [
    {
      name: what,
      measured: `${good.length} of ${times.length} green, ${sample.seconds()}`,
      goal,
      met: all && fast,
    },
  ];
}

export async function forming(): Promise<Row[]> {
  const times = await measure(FRESH, WORST_FRESH, false, (run) => `bench-forming-${run}`);
  return rows(
    times,
    'Forming, each in a new namespace: first write → 13 ready and quorum proven',
    6_500,
    10_000,
  );
}

/** The next deploy starts as soon as the one before is gone, so that DNS still has its addresses. */
export async function formingAgain(): Promise<Row[]> {
  const times = await measure(AGAIN, WORST_AGAIN, true, () => 'bench-again');
  return rows(times, 'The same under the same names, right after a removal', undefined, WORST_AGAIN);
}
