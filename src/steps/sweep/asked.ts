import { nearest } from '../../config/nearest.ts';
import { names } from '../../consul/quorum/finding.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Finding } from './finding.ts';
import { nameOf } from './removal.ts';
import type { Survey } from './survey.ts';

/**
 * Ids of `deregister` that nobody has. No failure: what was to be gone is gone, and a second run of the same step is
 * as green as the first. But it may be a slip, so it is said, with what may have been meant.
 */
export function unknownIds(
  named: ReadonlySet<string>,
  findings: readonly Finding[],
  survey: Pick<Survey, 'census' | 'asked'>,
): string[] {
  const { instances, held } = survey.census;
  const ids = [
    ...new Set([...instances.map(({ id }) => id), ...[...held.values()].flatMap((of) => [...of])]),
  ];
  return [...named]
    .filter((id) => !findings.some((ghost) => ghost.class === 'named' && ghost.service === id))
    .map((id) => {
      const ofName = [...new Set(instances.filter(({ name }) => name === id).map((one) => one.id))];
      const meant = nearest(id, ids);
      const hint =
        ofName.length > 0
          ? `it is the name of a service, whose ids are ${ofName.slice(0, 5).join(', ')}${ofName.length > 5 ? ' and more' : ''}`
          : meant && `did you mean ${meant}?`;
      const agents = `${count(survey.asked, 'agent')} and the catalog`;
      return `deregister: ${agents} have no service with the id ${id}${hint ? `; ${hint}` : ''}`;
    });
}

/** What should be gone and is not, or is back. */
export function sweepFailure(findings: readonly Finding[]): Failure | undefined {
  const of = (outcome: Finding['outcome']) => findings.filter((finding) => finding.outcome === outcome);
  const returned = of('returned');
  const stayed = of('stayed');
  const refused = findings.filter((one) => one.class === 'named' && one.remedy === 'none');
  const parts = [
    ...(returned.length > 0 ? [`${named(returned)} came back`] : []),
    ...(stayed.length > 0 ? [`${named(stayed)} did not go`] : []),
    ...(refused.length > 0 ? [`${named(refused)} cannot be removed from here`] : []),
  ];
  const all = [...returned, ...stayed, ...refused];
  const [first] = all;
  if (!first) return undefined;
  return new Failure({
    reason: 'ghosts',
    what: parts.join('; '),
    where: nameOf(first),
    hint:
      returned.length > 0
        ? 'Something registers it again: the application itself, or an agent that was not asked. Stop that first, then sweep again; `deregister` removes an id at every agent that holds it.'
        : stayed.length > 0
          ? 'Its agent did not pass the removal on: see the log of that agent, and whether ACLs block it; then sweep again.'
          : 'The evidence says for each where it has to be deregistered, or what has to be there first.',
    details: all.map((one) => `${nameOf(one)}: ${one.evidence}; ${one.why}`),
  });
}

function named(findings: readonly Finding[]): string {
  return names(findings.map(nameOf), 3);
}
