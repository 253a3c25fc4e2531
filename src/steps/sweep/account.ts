import { GHOST_CLASSES } from '../../consul/catalog/ghost.ts';
import type { Run } from '../../session/run.ts';
import type { Finding } from './finding.ts';
import type { Survey } from './survey.ts';

/** Into the report, as they are now. */
export function noteGhosts(run: Run, findings: readonly Finding[]): void {
  run.known.ghosts = findings.map(
    ({ class: kind, nodes, service, evidence, remedy, why, counts, outcome }) => ({
      class: kind,
      nodes: [...nodes],
      ...(service !== undefined && { service }),
      evidence,
      remedy,
      why,
      counts,
      outcome,
    }),
  );
}

/** Whether all were asked that there are. */
export function checkAsked(run: Run, { asked, running, silent, unknown }: Survey): void {
  const check = { id: 'catalog-agents', title: 'Agents asked', group: 'catalog' } as const;
  const expected = running === 1 ? 'an answer of the one agent' : `an answer of each of ${running} agents`;
  const trouble = [...silent.slice(0, 5), ...(silent.length > 5 ? [`and ${silent.length - 5} more`] : [])];
  const observed = [`${asked - silent.length} of ${running}`, ...trouble].join('; ');
  if (silent.length > 0) run.concern({ ...check, expected, observed });
  else run.check({ ...check, expected, observed, passed: true });
  for (const what of unknown) run.log.info(`not looked for: ${what}`);
}

/** `1 unheld, 2 synthetic`: those that count, by class. */
export function totals(findings: readonly Pick<Finding, 'class' | 'counts'>[]): string {
  return GHOST_CLASSES.flatMap((kind) => {
    const number = findings.filter((one) => one.class === kind && one.counts).length;
    return number > 0 ? [`${number} ${kind}`] : [];
  }).join(', ');
}
