import pLimit from 'p-limit';
import type { Config } from '../../config/config.ts';
import type { ConsulClient } from '../../consul/client.ts';
import { names } from '../../consul/quorum/finding.ts';
import { shortId } from '../../consul/registrations/at-server.ts';
import { type Move, movesOf } from '../../consul/registrations/move.ts';
import { failingNodes, type NamedAgent, relocate } from '../../consul/registrations/relocation.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import { checkServerRegistrations } from './at-servers.ts';
import { carriage, carriagePermissions, inspect } from './stash.ts';

/** Services under way at once. Most of the time each of them waits for the first result of its checks. */
const PARALLEL = 32;
const CONTAINER = 'consul';
const MOST_TOLD = 20;

interface Tally {
  moved: number;
  /** What stays, and why, one line each. */
  kept: string[];
  failures: Failure[];
}

interface Task {
  move: Move;
  server: NamedAgent;
}

/** What it needs, where it is asked for. */
export function movePermissions({
  moveRegistrations: moves,
  namespace,
}: Pick<Config, 'moveRegistrations' | 'namespace'>): AccessCheck[] {
  return moves ? carriagePermissions(namespace) : [];
}

/**
 * `move-registrations`: what is registered at servers moves to clients, service by service. What cannot move stays,
 * and is told as a warning.
 * @throws Failure `not-moved` when there is no client for it, or something broke in the middle
 */
export async function moveRegistrations(run: Run, cluster: Cluster, live: Live): Promise<void> {
  const { workloads, agents } = live;
  const tally: Tally = { moved: 0, kept: [], failures: [] };
  const tasks: Task[] = [];
  for (const pod of workloads.pods('server'))
    tasks.push(...(await tasksAt(run, cluster, agents.client(pod), tally)));
  if (tasks.length > 0) {
    const clients = await placesFor(run, workloads, agents, tasks);
    const { left } = run.known;
    run.known.left = { is: 'moving-registrations' };
    const limit = pLimit(PARALLEL);
    // Two servers may hold the same id, and a client can hold it once.
    const byId = Map.groupBy(tasks, ({ move }) => move.id);
    await Promise.all(
      [...byId.values()].map((same) =>
        limit(async () => {
          for (const task of same) await moveOne(run, task, clients, tally);
        }),
      ),
    );
    run.signal.throwIfAborted();
    if (tally.failures.length === 0) {
      run.known.left = tally.moved > 0 ? { is: 'moved-registrations', services: tally.moved } : left;
    }
  }
  await conclude(run, live, tally);
}

/** What can move from one server; what cannot is added to the tally. */
async function tasksAt(
  run: Run,
  { transport }: Cluster,
  client: ConsulClient,
  tally: Tally,
): Promise<Task[]> {
  const { config, signal } = run;
  const inspection = await inspect(client, signal);
  const { facts, registrations, holds } = inspection;
  if (holds === 0) return [];
  const container = { namespace: config.namespace, pod: client.name, container: CONTAINER };
  const found = await carriage(transport, container, inspection, signal);
  const { moves, refused } = movesOf(registrations, found);
  tally.kept.push(...refused.map(({ what, why }) => `${shortId(what)} (${client.name}): ${why}`));
  return moves.map((move) => ({ move, server: { client, nodeName: facts.name } }));
}

/** The clients that can take something: ready, and on a node with nothing against it. */
async function placesFor(
  run: Run,
  workloads: Workloads,
  agents: Agents,
  [first]: readonly Task[],
): Promise<Map<string, ConsulClient>> {
  const failing = first ? await failingNodes(first.server.client, run.signal) : new Set();
  const ready = workloads.pods('client').filter((pod) => pod.ready);
  const fit = ready.filter((pod) => !failing.has(workloads.nodeName(pod)));
  if (fit.length > 0) return new Map(fit.map((pod) => [workloads.nodeName(pod), agents.client(pod)]));
  throw new Failure({
    reason: 'not-moved',
    what:
      ready.length === 0
        ? 'no client is ready to hold what is registered at servers'
        : `every client that is ready has a check of its own that does not pass: ${names(ready.map(({ name }) => name))}`,
    where: 'move-registrations',
    hint: 'Nothing was moved. Mend the clients, or end their maintenance, and run again.',
  });
}

async function moveOne(
  run: Run,
  { move, server }: Task,
  clients: ReadonlyMap<string, ConsulClient>,
  tally: Tally,
): Promise<void> {
  if (run.signal.aborted) return;
  const what = `service ${shortId(move.id)} (${server.client.name})`;
  try {
    const { signal } = run;
    const onStep = (step: string) => run.log.debug(`move: ${step}`);
    const outcome = await relocate({ move, server, clients, signal, onStep });
    if ('why' in outcome) tally.kept.push(`${what}: ${outcome.why}`);
    else {
      tally.moved += 1;
      run.known.changed = true;
      run.log.info(`${what} is at ${outcome.to}`);
    }
  } catch (error) {
    // The reason of the run's end is told once, when all have ended.
    if (!run.signal.aborted) tally.failures.push(Failure.from(error));
  }
}

async function conclude(run: Run, live: Live, tally: Tally): Promise<void> {
  const { moved, kept, failures } = tally;
  if (moved > 0) run.log.info(movedLine(moved));
  const told = kept.slice(0, MOST_TOLD);
  const more = kept.length - told.length;
  for (const line of told) run.warn(`Not moved: ${line}`);
  if (more > 0) run.warn(`Not moved: ${more} more; the log with \`log-level: debug\` has them.`);
  for (const line of kept.slice(MOST_TOLD)) run.log.debug(`not moved: ${line}`);
  await checkServerRegistrations(
    run,
    live,
    moved > 0 ? `${movedLine(moved)}, and these were not` : 'they could not be moved',
  );
  const [first] = failures;
  if (!first) return;
  // The others do no harm.
  const lost = failures.find(({ reason }) => reason === 'registrations-lost');
  if (lost) throw lost;
  throw new Failure({
    reason: 'not-moved',
    what: `${failures.length} of the services at servers could not be moved: ${first.message}`,
    where: 'move-registrations',
    hint: 'Each of them may now be registered at its server and at a client: two instances at one address, which does no harm. Run again; it goes on from there.',
    details: failures.map(({ message }) => message),
    cause: first,
  });
}

function movedLine(moved: number): string {
  return `${count(moved, 'service')} moved from servers to clients`;
}
