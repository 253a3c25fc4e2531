import { presentOf, type Removed, untilAbsent, watchAbsence } from '../../consul/catalog/absence.ts';
import { isLive } from '../../consul/catalog/census.ts';
import { ghostsIn } from '../../consul/catalog/classification.ts';
import { type Ghost, ghostKey } from '../../consul/catalog/ghost.ts';
import { isPassing } from '../../consul/failure.ts';
import { deregisterPath } from '../../consul/proofs/registration.ts';
import { roundMs } from '../../consul/registrations/anti-entropy.ts';
import { Failure } from '../../failure.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { type Finding, placesOf } from './finding.ts';
import type { Survey, Surveyor } from './survey.ts';

/** Many at once can storm the gossip pool: https://github.com/hashicorp/consul/issues/9962 */
const BATCH = 10;
/** Gossip and the leader take seconds to take a node out of the catalog. */
const GONE_MS = 30_000;
/** An election ends within it, and a server that is replaced is not the only one. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 500;
/** Only who is a member, and who leads. */
const NOTHING = { nodes: new Set<string>() };

/** Removes what has a remedy, a few at a time, each few judged again right before. The outcomes are noted in place. */
export async function removeGhosts(
  run: Run,
  surveyor: Surveyor,
  findings: readonly Finding[],
  named: ReadonlySet<string>,
): Promise<void> {
  const todo = findings.filter(({ remedy }) => remedy !== 'none');
  for (let at = 0; at < todo.length; at += BATCH) {
    const batch = todo.slice(at, at + BATCH);
    run.log.progress(`${at} of ${todo.length} looked after`, 'sweep');
    const survey = await surveyor.look({ nodes: new Set(batch.flatMap(({ nodes }) => nodes)) });
    const now = new Set(ghostsIn(survey.census, named).map(ghostKey));
    const still = batch.filter((finding) => {
      if (now.has(ghostKey(finding))) return true;
      finding.outcome = 'kept';
      finding.why = 'it has changed since it was found: left alone';
      run.log.info(`${nameOf(finding)} has changed since it was found, and is left alone`);
      return false;
    });
    await removeBatch(run, survey, still);
  }
  run.log.settled('sweep');
}

async function removeBatch(run: Run, survey: Survey, batch: readonly Finding[]): Promise<void> {
  if (batch.length === 0) return;
  run.mark('first-write');
  // One after the other: that is no hurry, and an error names the one it is about.
  for (const finding of batch) {
    await removeOne(run, survey, finding);
    run.known.changed = true;
    run.known.left = { is: 'sweeping' };
  }
  const { server } = survey;
  const left = await untilAbsent(server, batch.flatMap(placesOf), GONE_MS, run.signal);
  // The leader takes out a node that has left; where it has not, nobody will.
  for (const { node, service } of left) {
    const forced = batch.some(({ remedy, nodes }) => remedy === 'force-leave' && nodes.includes(node));
    if (forced && service === undefined) await deregister(run, survey, { node });
  }
  const stayed = await presentOf(server, left, run.signal);
  for (const finding of batch) {
    finding.outcome = isAmong(stayed, finding) ? 'stayed' : 'removed';
    run.log.info(`${nameOf(finding)}: ${finding.outcome === 'removed' ? 'removed' : 'it is still there'}`);
  }
}

async function removeOne(run: Run, survey: Survey, { remedy, nodes, service }: Ghost): Promise<void> {
  const { signal } = run;
  for (const node of nodes) {
    if (remedy === 'force-leave') {
      const path = `/v1/agent/force-leave/${encodeURIComponent(node)}`;
      await survey.server.put(path, undefined, { signal, query: { prune: true } });
    } else if (remedy === 'agent' && service !== undefined) {
      // It may have gone by itself in this very moment.
      await survey.agents.get(node)?.put(deregisterPath(service), undefined, { signal, accept: [404] });
    } else await deregister(run, survey, { node, ...(service !== undefined && { service }) });
  }
}

async function deregister({ signal }: Run, { server }: Survey, { node, service }: Removed): Promise<void> {
  const body = { Node: node, ...(service !== undefined && { ServiceID: service }) };
  await server.put('/v1/catalog/deregister', body, { signal });
}

/**
 * Watches until every agent has compared itself with the catalog, and notes what came back. A server that is replaced
 * meanwhile, or an election, is nothing that a ghost did: another one is asked.
 */
export async function watchRemoved(
  run: Run,
  surveyor: Surveyor,
  findings: readonly Finding[],
  round: (members: number) => number = roundMs,
): Promise<{ ms: number }> {
  const { census } = await surveyor.look(NOTHING);
  const ms = round(census.members.size);
  const end = performance.now() + ms;
  run.log.progress(
    `watching the catalog for ${ms / 1000} s: by then every agent has compared itself with it (${census.members.size} members)`,
    'sweep',
  );
  for (;;) {
    const watched = findings.filter(({ outcome }) => outcome === 'removed');
    try {
      const back = await watchOnce(run, surveyor, watched, Math.max(end - performance.now(), 0));
      // Red at once: the rest of the round would say nothing else.
      if (back.every(({ outcome }) => outcome === 'returned')) {
        run.log.settled('sweep');
        return { ms };
      }
    } catch (error) {
      run.signal.throwIfAborted();
      if (!isWaitedFor(error) || performance.now() > end + PATIENCE_MS) throw error;
      run.log.info(`${Failure.from(error).message}: looking again`);
      await pause(LOOK_MS, run.signal);
    }
  }
}

/** @returns what came back, which is noted; nothing when the time is over */
async function watchOnce(
  run: Run,
  surveyor: Surveyor,
  watched: readonly Finding[],
  ms: number,
): Promise<Finding[]> {
  if (watched.length === 0) return [];
  const { server } = await surveyor.look(NOTHING);
  const places = await watchAbsence(server, watched.flatMap(placesOf), ms, run.signal);
  if (places.length === 0) return [];
  const { census } = await surveyor.look(NOTHING);
  const back = watched.filter((finding) => isAmong(places, finding));
  for (const finding of back) {
    // A node whose agent has come alive is no ghost any more, and welcome.
    const welcome =
      finding.service === undefined && finding.nodes.some((node) => isLive(census.members.get(node)));
    finding.outcome = welcome ? 'kept' : 'returned';
    if (welcome) finding.why = 'it was removed, and its agent has come alive since';
    run.log.info(`${nameOf(finding)} is back`);
  }
  return back;
}

/** Also where the survey found no leader to ask. */
function isWaitedFor(error: unknown): boolean {
  return isPassing(error) || (error instanceof Failure && error.reason === 'no-leader');
}

function isAmong(places: readonly Removed[], ghost: Ghost): boolean {
  return placesOf(ghost).some(({ node, service }) =>
    places.some((one) => one.node === node && one.service === service),
  );
}

/** `service web-1 at consul-client-0`, `node consul-client-9`. */
export function nameOf({ nodes, service }: Pick<Ghost, 'nodes' | 'service'>): string {
  const [first = '', ...more] = nodes;
  const where = more.length > 0 ? `${first} and ${more.length} more` : first;
  return service === undefined ? `node ${where}` : `service ${service} at ${where}`;
}
