import { count } from '../../count.ts';
import { plain } from '../escape.ts';
import type { FieldChange, PlannedChange } from '../result/change.ts';
import type { Result } from '../result.ts';
import { DANGEROUS, GRAVEST_FIRST } from '../section/plan.ts';
import { CONSEQUENCE_TITLE, isAboutPlan, objectOf, planHeadline } from '../section/plan-line.ts';
import { type Content, line, type Markup, markup } from './markup.ts';
import { type Part, rowsOf } from './part.ts';
import { badge } from './status.ts';
import { shortTable } from './table.ts';

const [MOST_NAMES, MOST_PODS, MOST_FIELDS, MOST_LINES] = [12, 20, 20, 40];

/** What a deploy does to each object: totals by consequence, then every change with what differs. */
export function plan(result: Result): Part[] {
  const changes = (result.plan ?? []).filter(({ consequence }) => consequence !== 'none');
  const about = isAboutPlan(result);
  if (!result.plan || (!about && changes.length === 0)) return [];
  const digest =
    about &&
    result.planDigest !== undefined &&
    markup`<p class="digest">Plan digest <code>${line(result.planDigest)}</code>${!result.failure && markup`. A deploy with it as <code>expect-plan</code> does exactly this, or nothing.`}</p>\n`;
  const kept = result.plannedSnapshot !== undefined && markup`<p>${line(result.plannedSnapshot, 300)}</p>\n`;
  return [
    {
      id: 'plan',
      title: about ? 'Plan: what a deploy would do' : `Plan: ${planHeadline(result)}`,
      head: markup`${totals(result.plan)}${kept}${digest}`,
      ...rowsOf(changes, (change) => details(change, about && DANGEROUS.has(change.consequence))),
      noun: 'changes are',
      // It may take all the room that is left.
      rank: about ? 2 : 3,
    },
  ];
}

function totals(all: readonly PlannedChange[]): Markup {
  const rows = GRAVEST_FIRST.flatMap((consequence): Content[][] => {
    const of = all.filter((change) => change.consequence === consequence);
    if (of.length === 0) return [];
    const names = consequence === 'none' ? [] : of.slice(0, MOST_NAMES);
    const more = consequence === 'none' ? 0 : of.length - names.length;
    return [
      [
        mark(consequence),
        of.length,
        markup`${names.map((change, index) => markup`${index > 0 && ', '}<code>${line(objectOf(change), 120)}</code>`)}${more > 0 && ` and ${more} more`}`,
      ],
    ];
  });
  return shortTable(
    'How many objects, by what happens to them; the gravest first.',
    [{ title: 'Consequence' }, { title: 'Objects', kind: 'figure' }, { title: 'Which', kind: 'wide' }],
    rows,
  );
}

function mark(consequence: PlannedChange['consequence']): Markup {
  const title = CONSEQUENCE_TITLE[consequence];
  if (!DANGEROUS.has(consequence)) return markup`<span class="badge plain">${title}</span>`;
  return badge(consequence === 'data-loss' ? 'failed' : 'warning', title);
}

function details(change: PlannedChange, open: boolean): Markup {
  const { fields, pods = [], podCount = 0, notes, consequence } = change;
  const more = fields.length - MOST_FIELDS;
  const said = [...(podCount > 0 ? [podList(pods, podCount)] : []), ...notes.slice(0, MOST_NAMES)];
  return markup`<details class="change"${open && markup` open`}><summary>${mark(consequence)} <code>${line(objectOf(change), 300)}</code>${fields.length > 0 && ` ${count(fields.length, 'field')}`}</summary>${said.length > 0 && markup`<ul>${said.map((text) => markup`<li>${line(text)}</li>`)}</ul>`}${fields.slice(0, MOST_FIELDS).map(field)}${more > 0 && markup`<p class="rest">${count(more, 'more field')} not shown here.</p>`}${said.length + fields.length === 0 && markup`<p>Nothing more to tell.</p>`}</details>`;
}

function podList(pods: readonly string[], podCount: number): string {
  if (pods.length === 0) return `${count(podCount, 'pod')} replaced`;
  const more = pods.length - MOST_PODS;
  const names = pods.slice(0, MOST_PODS).map((pod) => line(pod, 120));
  return `${count(podCount, 'pod')} replaced, in this order: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A field with its value before and after. The signs stand in the text: colour alone tells nothing. */
export function field({ path, before, after }: FieldChange): Markup {
  return markup`<div class="field"><code>${line(path, 300)}</code>${value('del', '−', 'before', before)}${value('ins', '+', 'after', after)}</div>`;
}

function value(tag: 'del' | 'ins', sign: string, when: string, text: string | undefined): Markup | undefined {
  if (text === undefined) return undefined;
  const all = plain(text).split('\n');
  const lines = all.slice(0, MOST_LINES).map((one) => line(one, 400));
  const more = all.length > MOST_LINES ? `\n… ${count(all.length - MOST_LINES, 'more line')}` : '';
  const shown = markup`<span class="sign" aria-hidden="true">${sign}</span><span class="spoken">${when}: </span>${lines.join('\n')}${more}`;
  return tag === 'del' ? markup`<del>${shown}</del>` : markup`<ins>${shown}</ins>`;
}
