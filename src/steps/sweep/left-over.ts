import type { Ghost } from '../../consul/catalog/ghost.ts';
import { isPassing } from '../../consul/failure.ts';
import { names } from '../../consul/quorum/finding.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Cluster } from '../../session/cluster.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Connections } from '../proof/quorum-watch.ts';
import { noteGhosts, totals } from './account.ts';
import { type Finding, findGhosts } from './finding.ts';
import { nameOf } from './removal.ts';
import { type Survey, Surveyor } from './survey.ts';

/** A verification is no census: of a big fleet it asks some, as the smoke test does. */
const MOST_AGENTS = 100;
/** What an election makes unanswerable is asked again for this long, and not to the end of the run. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 500;

const MEMBERS = {
  id: 'members-left-over',
  title: 'No left-over members',
  group: 'clients',
  expected: 'none that have failed, none in the catalog alone',
} as const;
const SERVICES = {
  id: 'services-left-over',
  title: 'No left-over services',
  group: 'catalog',
  expected: 'none that its agent does not hold, none twice under one address',
} as const;

/**
 * Members, nodes and services that are no more: they do no harm to the quorum, and an application may still be sent to
 * them. Told as `mode: sweep` tells them, which also removes them. All that it can do is warn, also where it cannot look.
 */
export async function checkLeftOver(run: Run, cluster: Cluster, agents: Connections): Promise<void> {
  const found = await look(run, new Surveyor(run, cluster, agents));
  if (found instanceof Failure) {
    for (const check of [MEMBERS, SERVICES]) {
      run.concern({ ...check, observed: `not looked for: ${found.message}` });
    }
    return;
  }
  const { survey, findings } = found;
  checkMembers(run, findings, survey.unknown);
  const services = findings.filter(({ service, counts }) => service !== undefined && counts);
  const { asked, running, silent } = survey;
  const answered = asked - silent.length;
  const of = answered < running ? `; ${answered} of ${count(running, 'agent')} were asked` : '';
  if (services.length > 0) {
    run.concern({ ...SERVICES, observed: `${totals(services)}: ${names(services.map(nameOf))}${of}` });
  } else run.check({ ...SERVICES, observed: `none${of}`, passed: true });
  const counted = findings.filter(({ counts }) => counts);
  if (counted.length > 0) noteGhosts(run, counted);
}

/** What there is; or why nobody can say, when that has not passed. */
async function look(
  run: Run,
  surveyor: Surveyor,
): Promise<{ survey: Survey; findings: Finding[] } | Failure> {
  const endMs = performance.now() + Math.min(PATIENCE_MS, run.left() / 2);
  for (;;) {
    try {
      return await findGhosts(run, surveyor, { most: MOST_AGENTS });
    } catch (error) {
      run.signal.throwIfAborted();
      const failure = Failure.from(error);
      if (!mayPass(failure) || performance.now() >= endMs) return failure;
      run.log.debug(`left-over: ${failure.message}`);
      await pause(PAUSE_MS, run.signal);
    }
  }
}

/** Servers know no leader, or not all of them the new one, while there is an election. */
function mayPass(failure: Failure): boolean {
  return isPassing(failure) || failure.reason === 'no-leader' || failure.reason === 'split';
}

function checkMembers(run: Run, ghosts: readonly Ghost[], unknown: readonly string[]): void {
  const nodes = (of: (ghost: Ghost) => boolean) =>
    ghosts
      .filter((ghost) => ghost.service === undefined && of(ghost))
      .flatMap(({ nodes }) => nodes)
      .sort();
  const isMember = ({ class: kind, remedy }: Ghost) => kind === 'failed' || remedy === 'force-leave';
  const failed = nodes((ghost) => ghost.counts && isMember(ghost));
  const alone = nodes((ghost) => ghost.counts && !isMember(ghost));
  const left = nodes((ghost) => ghost.class === 'left');
  const trouble = [
    ...(failed.length > 0 ? [`failed: ${names(failed)}`] : []),
    ...(alone.length > 0 ? [`in the catalog alone: ${names(alone)}`] : []),
  ];
  const note = left.length > 0 ? [`left in order before: ${names(left)}`] : [];
  const unseen = unknown.length > 0 ? [`not looked for: ${unknown.join('; ')}`] : [];
  const observed = [...(trouble.length > 0 ? trouble : ['none']), ...note, ...unseen].join('; ');
  if (trouble.length > 0) run.concern({ ...MEMBERS, observed });
  else run.check({ ...MEMBERS, observed, passed: true });
}
