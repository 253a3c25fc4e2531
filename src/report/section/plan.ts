import { count } from '../../count.ts';
import { code, fence, markdown, oneLine, plain } from '../escape.ts';
import { CONSEQUENCES, type Consequence, type FieldChange, type PlannedChange } from '../result/change.ts';
import type { Result } from '../result.ts';
import { CONSEQUENCE_TITLE, isAboutPlan, objectOf, planHeadline } from './plan-line.ts';
import type { Section } from './section.ts';

const SYMBOL: Record<Consequence, string> = {
  none: '➖',
  metadata: '🏷️',
  'in-place': '✏️',
  reloads: '🔁',
  restarts: '🔃',
  create: '➕',
  'rolls-pods': '🔄',
  recreate: '♻️',
  delete: '🗑️',
  'data-loss': '💥',
};
/** A reviewer has to look at these. */
export const DANGEROUS: ReadonlySet<Consequence> = new Set(['recreate', 'delete', 'data-loss']);

export const GRAVEST_FIRST = CONSEQUENCES.toReversed();
const MOST_NAMES = 12;
const MOST_PODS = 20;

/** What a reviewer decides from: totals, what is dangerous, then every object with what differs in it. */
export function planSections(result: Result): Section[] {
  const { plan } = result;
  if (!plan) return [];
  const changes = plan.filter(({ consequence }) => consequence !== 'none');
  const about = isAboutPlan(result);
  // A deploy has done it by now: its plan is for those who want to know.
  if (!about && changes.length === 0) return [];
  const kept = result.plannedSnapshot === undefined ? [] : [`${markdown(result.plannedSnapshot)}\n`];
  const totals = [...dangers(changes), ...table(plan), ...kept, ...(about ? [digest(result)] : [])];
  const title = about
    ? '### What a deploy would do'
    : `<details><summary>Plan: ${markdown(planHeadline(result))}</summary>`;
  return [
    {
      head: `${title}\n\n${totals.join('\n')}\n`,
      rows: changes.filter(hasMore).map((change) => details(change, about)),
      tail: about ? '' : '</details>\n\n',
      noun: 'changes are',
      rank: about ? 0 : 3,
    },
  ];
}

function table(plan: readonly PlannedChange[]): string[] {
  const rows = GRAVEST_FIRST.flatMap((consequence) => {
    const of = plan.filter((change) => change.consequence === consequence);
    if (of.length === 0) return [];
    const names = of.slice(0, MOST_NAMES).map((change) => code(objectOf(change), 120));
    const more = of.length - names.length;
    const which = consequence === 'none' ? '' : `${names.join(' ')}${more > 0 ? ` and ${more} more` : ''}`;
    return [`| ${SYMBOL[consequence]} | ${CONSEQUENCE_TITLE[consequence]} | ${of.length} | ${which} |`];
  });
  return ['| | Consequence | | Objects |', '|:-:|:--|--:|:--|', ...rows, ''];
}

function digest({ planDigest, failure }: Result): string {
  if (planDigest === undefined) return '';
  const text = `**Plan digest**: ${code(planDigest)}`;
  return failure
    ? `${text}\n`
    : `${text}. A deploy with it as \`expect-plan\` does exactly this, or nothing.\n`;
}

function dangers(changes: readonly PlannedChange[]): string[] {
  const lines = changes
    .filter(({ consequence }) => DANGEROUS.has(consequence))
    .slice(0, MOST_NAMES)
    .map((change) => {
      const why = change.notes[0] === undefined ? '' : `: ${markdown(change.notes[0])}`;
      return `${SYMBOL[change.consequence]} **${CONSEQUENCE_TITLE[change.consequence]}** ${code(objectOf(change))}${why}`;
    });
  if (lines.length === 0) return [];
  const box = changes.some(({ consequence }) => consequence === 'data-loss') ? '[!CAUTION]' : '[!WARNING]';
  return [
    `> ${box}`,
    ...lines.map((line, index) => `> ${line}${index < lines.length - 1 ? '<br>' : ''}`),
    '',
  ];
}

/** More than the totals say. */
function hasMore({ fields, notes, podCount = 0 }: PlannedChange): boolean {
  return fields.length + notes.length + podCount > 0;
}

function details(change: PlannedChange, about: boolean): string {
  const { consequence, fields, pods = [], podCount = 0, notes } = change;
  const open = about && DANGEROUS.has(consequence) ? ' open' : '';
  const lines = notes.map((note) => `- ${markdown(note)}`);
  if (podCount > 0) lines.unshift(`- ${podList(pods, podCount)}`);
  const blocks = [
    `<details${open}><summary>${SYMBOL[consequence]} ${CONSEQUENCE_TITLE[consequence]}: <code>${markdown(objectOf(change))}</code></summary>`,
    ...(lines.length > 0 ? [lines.join('\n')] : []),
    ...(fields.length > 0 ? [fence(fields.map(fieldBlock).join('\n'), 'diff')] : []),
    '</details>',
  ];
  return `${blocks.join('\n\n')}\n`;
}

function podList(pods: readonly string[], podCount: number): string {
  if (pods.length === 0) return `${count(podCount, 'pod')} replaced`;
  const more = pods.length - MOST_PODS;
  const names = pods.slice(0, MOST_PODS).map((pod) => code(pod, 120));
  return `${count(podCount, 'pod')} replaced, in this order: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function fieldBlock({ path, before, after }: FieldChange): string {
  return [`  ${oneLine(path, 300)}`, ...marked('-', before), ...marked('+', after)].join('\n');
}

/** Every line of a value behind its mark, whatever the value says. */
function marked(mark: string, value: string | undefined): string[] {
  return value === undefined
    ? []
    : plain(value)
        .split('\n')
        .map((line) => `${mark} ${line}`);
}
