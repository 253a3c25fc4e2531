import { count } from '../count.ts';
import type { FieldChange } from '../report/result/change.ts';
import { leadsToSecret, namesSecret } from '../secret/name.ts';
import type { Difference } from './difference.ts';
import { type Hunk, hunks } from './lines.ts';

const LONGEST_VALUE = 160;
const LONGEST_LINE = 200;
/** More of a text is not shown anyway. */
const MOST_READ = 10 * LONGEST_LINE;
const MOST_LINES = 12;
const MOST_HUNKS = 20;

const HIDDEN = '(hidden)';
/** Longer names are none. */
const LONGEST_NAME = 80;

/**
 * A difference made ready to be shown: JSON, shortened; of texts and lists the lines that differ, each place by
 * itself. Values of Secrets and of what is named like one never.
 */
export function shown(kind: string, { path, before, after }: Difference): FieldChange[] {
  if (isHidden(kind, path, before, after)) {
    return [
      {
        path,
        ...(before !== undefined && { before: HIDDEN }),
        ...(after !== undefined && { after: before === undefined ? HIDDEN : '(hidden, changed)' }),
      },
    ];
  }
  const lines = linesOf(before, after);
  if (!lines) return [{ path, ...value('before', before), ...value('after', after) }];
  const found = hunks(lines.before, lines.after);
  const fields = found
    .slice(0, MOST_HUNKS)
    .map((hunk) => ({ path, ...block('before', hunk), ...block('after', hunk) }));
  const more = found.length - fields.length;
  return more > 0 ? [...fields, { path, after: `(${more} more places differ)` }] : fields;
}

function isHidden(kind: string, path: string, ...values: unknown[]): boolean {
  if (kind === 'Secret' && !path.startsWith('.metadata.')) return true;
  // A number or a switch is no secret, whatever it is called.
  return leadsToSecret(path) && values.some((one) => typeof one === 'string' || typeof one === 'object');
}

/** Both sides by lines, where that shows more than both of them whole. */
function linesOf(before: unknown, after: unknown): Hunk | undefined {
  if (isText(before) && isText(after) && /\n/.test(before + after)) {
    return { before: before.split('\n'), after: after.split('\n') };
  }
  if (isList(before) && isList(after)) {
    return { before: before.map(canonicalJson), after: after.map(canonicalJson) };
  }
  return undefined;
}

/** Keys by the alphabet, so that their order makes no line differ. */
function canonicalJson(one: unknown): string {
  if (typeof one !== 'object' || one === null) return JSON.stringify(one) ?? 'null';
  if (Array.isArray(one)) return `[${one.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, below]) => `${JSON.stringify(key)}:${canonicalJson(below)}`).join(',')}}`;
}

function value(side: 'before' | 'after', what: unknown): FieldChange | object {
  if (what === undefined) return {};
  return { [side]: clip(withoutSecret(clip(canonicalJson(what), MOST_READ)), LONGEST_VALUE) };
}

function block(side: 'before' | 'after', hunk: Hunk): object {
  const lines = hunk[side].map((line) => clip(withoutSecret(clip(line, MOST_READ)), LONGEST_LINE));
  if (lines.length === 0) return {};
  const more = lines.length - MOST_LINES;
  const kept = more > 0 ? [...lines.slice(0, MOST_LINES), `… ${count(more, 'more line')}`] : lines;
  return { [side]: kept.join('\n') };
}

/** What stands behind the name of a secret stays out, whatever comes after it: `encrypt = "…"`, `-token=…` */
function withoutSecret(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '=' && text[at] !== ':') continue;
    const before = text.slice(Math.max(0, at - LONGEST_NAME), at).trimEnd();
    const name = /(?<![\w.-])[\w.-]*$/.exec(before.replace(/["']$/, ''))?.[0] ?? '';
    if (!namesSecret(name)) continue;
    const value = text.slice(at + 1).search(/\S/);
    if (value >= 0) return text.slice(0, at + 1 + value) + HIDDEN;
  }
  return text;
}

function isText(what: unknown): what is string {
  return typeof what === 'string';
}

function isList(what: unknown): what is unknown[] {
  return Array.isArray(what);
}

function clip(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
