import type { Ghost } from '../consul/ghost.ts';
import type { Agents } from './agents.ts';
import type { Cluster } from './connect.ts';
import type { Run } from './run.ts';
import { noteGhosts, totals } from './sweep/account.ts';
import { findGhosts } from './sweep/finding.ts';
import { nameOf } from './sweep/removal.ts';
import { Surveyor } from './sweep/survey.ts';

/** A verification is no census: of a big fleet it asks some, as the smoke test does. */
const MOST_AGENTS = 100;
const MOST_NAMES = 5;

/**
 * Members, nodes and services that are no more: they do no harm to the quorum, and an application may still be sent to
 * them. Told as `mode: sweep` tells them, which also removes them.
 */
export async function checkLeftOver(run: Run, cluster: Cluster, agents: Agents): Promise<void> {
  const surveyor = new Surveyor(run, cluster, agents);
  const { survey, findings } = await findGhosts(run, surveyor, { most: MOST_AGENTS });
  checkMembers(run, findings);
  const services = findings.filter(({ service, counts }) => service !== undefined && counts);
  const { asked, running, silent } = survey;
  const answered = asked - silent.length;
  const check = {
    id: 'services-left-over',
    title: 'No left-over services',
    group: 'catalog',
    expected: 'none that its agent does not hold, none twice under one address',
  } as const;
  const of = answered < running ? `; ${answered} of ${running} agents were asked` : '';
  if (services.length > 0) {
    run.concern({ ...check, observed: `${totals(services)}: ${listed(services.map(nameOf))}${of}` });
  } else run.check({ ...check, observed: `none${of}`, passed: true });
  const counted = findings.filter(({ counts }) => counts);
  if (counted.length > 0) noteGhosts(run, counted);
}

function checkMembers(run: Run, ghosts: readonly Ghost[]): void {
  const check = {
    id: 'members-left-over',
    title: 'No left-over members',
    group: 'clients',
    expected: 'none that have failed, none in the catalog alone',
  } as const;
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
    ...(failed.length > 0 ? [`failed: ${listed(failed)}`] : []),
    ...(alone.length > 0 ? [`in the catalog alone: ${listed(alone)}`] : []),
  ];
  const note = left.length > 0 ? [`left in order before: ${listed(left)}`] : [];
  const observed = [...(trouble.length > 0 ? trouble : ['none']), ...note].join('; ');
  if (trouble.length > 0) run.concern({ ...check, observed });
  else run.check({ ...check, observed, passed: true });
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
