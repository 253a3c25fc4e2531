import { count } from '../../count.ts';
import type { Drift } from '../result/change.ts';
import type { GhostReport, Result } from '../result.ts';
import { DRIFT_WHAT, driftTotals } from '../section/drift.ts';
import { REMEDY } from '../section/ghost.ts';
import { type Content, line, markup, moment } from './markup.ts';
import type { Part } from './part.ts';
import { field } from './plan.ts';
import { badge, type Status } from './status.ts';
import { table } from './table.ts';

/** What is not as it was deployed, a row for each object. */
export function drift({ drift: found = [] }: Result): Part[] {
  if (found.length === 0) return [];
  return [
    {
      id: 'drift',
      title: `Drift: ${driftTotals(found)}`,
      ...table(
        'What is not as it was deployed.',
        [
          { title: 'Object', kind: 'code' },
          { title: 'As deployed, and as it is', kind: 'wide' },
          { title: 'By', kind: 'wide' },
          { title: 'At' },
        ],
        found,
        driftRow,
      ),
      noun: 'differences are',
      rank: 2,
    },
  ];
}

const MOST_FIELDS = 20;

function driftRow({ kind, name, what, fields, by, at }: Drift): Content[] {
  const more = fields.length - MOST_FIELDS;
  return [
    line(`${kind}/${name}`, 300),
    markup`${what !== 'changed' && badge('warning', DRIFT_WHAT[what])}${fields.slice(0, MOST_FIELDS).map(field)}${more > 0 && markup`<p class="rest">${count(more, 'more field')} not shown here.</p>`}`,
    by === undefined ? '' : line(by, 200),
    at === undefined ? '' : moment(line(at, 40)),
  ];
}

const OUTCOME: Record<GhostReport['outcome'], [Status, string]> = {
  found: ['warning', 'found'],
  kept: ['skipped', 'kept'],
  removed: ['passed', 'removed'],
  stayed: ['failed', 'did not go'],
  returned: ['failed', 'came back'],
};
const MOST_NODES = 5;

/** What should not be in the catalog; what may stay comes last. */
export function ghosts({ ghosts: found = [] }: Result): Part[] {
  if (found.length === 0) return [];
  const counted = found.filter(({ counts }) => counts);
  const may = found.length - counted.length;
  return [
    {
      id: 'catalog',
      title: `Catalog: ${count(counted.length, 'ghost')}${may > 0 ? `, ${may} that may stay` : ''}`,
      ...table(
        'What should not be in the catalog, or looks like it.',
        [
          { title: 'What', kind: 'code' },
          { title: 'Outcome' },
          { title: 'Class' },
          { title: 'Evidence', kind: 'wide' },
          { title: 'Remedy' },
          { title: 'Why', kind: 'wide' },
        ],
        [...counted, ...found.filter(({ counts }) => !counts)],
        ghostRow,
      ),
      noun: 'ghosts are',
      rank: 1,
    },
  ];
}

function ghostRow({ class: kind, nodes, service, evidence, remedy, why, outcome }: GhostReport): Content[] {
  const where = nodes.slice(0, MOST_NODES).map((node) => line(node, 120));
  const more = nodes.length > MOST_NODES ? ` and ${nodes.length - MOST_NODES} more` : '';
  const at = `${where.join(', ')}${more}`;
  const what = service === undefined ? `node ${at}` : `${line(service, 120)} at ${at}`;
  return [what, badge(...OUTCOME[outcome]), kind, line(evidence), REMEDY[remedy], line(why)];
}
