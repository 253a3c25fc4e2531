import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { raftViews } from '../test/e2e/consul/consul.ts';
import { isReady, kubectl, type Pod } from '../test/e2e/kubernetes/cluster.ts';
import { start } from '../test/e2e/run/action.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

const RUNS = 5;
const PODS = 13;
const LOOK_MS = 100;

/**
 * Watches as somebody would who does not know the action: pods by `kubectl get --watch`, Raft by asking each
 * server at its address. Resolves with the moment in which the last condition became true.
 */
async function observe(namespace: string, signal: AbortSignal): Promise<number> {
  const ready = new Set<string>();
  let podsAt: number | undefined;
  const watch = spawn(
    process.env.KUBECTL ?? 'kubectl',
    ['-n', namespace, 'get', 'pods', '--watch', '-o', 'json', '--output-watch-events'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  createInterface({ input: watch.stdout }).on('line', (line) => {
    const { object } = JSON.parse(line) as { object: Pod };
    if (isReady(object)) ready.add(object.metadata.name);
    else ready.delete(object.metadata.name);
    podsAt = ready.size === PODS ? (podsAt ?? Date.now()) : undefined;
  });
  try {
    let votersAt: number | undefined;
    while (podsAt === undefined || votersAt === undefined) {
      signal.throwIfAborted();
      votersAt = (await hasQuorum(namespace)) ? (votersAt ?? Date.now()) : undefined;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return Math.max(podsAt, votersAt);
  } finally {
    watch.kill();
  }
}

async function hasQuorum(namespace: string): Promise<boolean> {
  const views = await raftViews(namespace).catch(() => []);
  const leaders = new Set(views.map(({ servers }) => servers.find(({ Leader }) => Leader)?.Node));
  const voting = views.every(({ servers }) => servers.filter(({ Voter }) => Voter).length === 3);
  return views.length === 3 && voting && leaders.size === 1 && !leaders.has(undefined);
}

export async function overhead(): Promise<Row[]> {
  const late: number[] = [];
  for (let run = 1; run <= RUNS; run++) {
    const namespace = `bench-overhead-${run}`;
    await kubectl('create', 'namespace', namespace);
    const begun = Date.now();
    const running = start({ namespace, 'stable-for': '0s', timeout: '90s' });
    const [seenAt, outcome] = await Promise.all([
      observe(namespace, AbortSignal.timeout(90_000)),
      running.outcome,
    ]);
    if (outcome.code !== 0 || !outcome.report) throw new Error(outcome.log);
    const verdictAt = Date.parse(outcome.report.startedAt) + (outcome.report.timings.verdict ?? 0);
    late.push(verdictAt - seenAt);
    console.log(
      `  ${run}/${RUNS} seen ${seenAt - begun} ms, verdict ${verdictAt - begun} ms after the start`,
    );
    // The next run is not measured beside pods that are still stopping.
    await kubectl('delete', 'namespace', namespace);
  }
  const sample = new Sample(late);
  return [
    {
      name: 'Verdict, all the proof included, after an independent observer saw the last condition',
      measured: sample.seconds(),
      goal: 'median ≤ 1 s',
      met: sample.median <= 1_000,
    },
  ];
}
