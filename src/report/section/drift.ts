import { count } from '../../count.ts';
import { code, markdown } from '../escape.ts';
import type { Drift, FieldChange } from '../result/change.ts';
import type { Result } from '../result.ts';
import type { Section } from './section.ts';

/** What is wrong with an object, in words. */
export const DRIFT_WHAT: Record<Drift['what'], string> = {
  missing: 'it is missing',
  changed: 'it was changed',
  replaced: 'it was removed, and there is another of that name',
  unexpected: 'it was not deployed',
};

/** What differs from what was deployed, a row for each field; no section where nothing does. */
export function driftSections({ drift = [] }: Result): Section[] {
  if (drift.length === 0) return [];
  const head = `### Drift: ${driftTotals(drift)}\n\n| Object | Field | Deployed | Live | By | At |\n|:--|:--|:--|:--|:--|:--|\n`;
  return [{ head, rows: drift.flatMap(rows), tail: '\n', noun: 'fields that differ are', rank: 0 }];
}

/** How many objects are not as deployed. */
export function driftedObjects(drift: readonly Drift[]): number {
  return new Set(drift.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`)).size;
}

/** `2 fields of 1 object changed, 1 object missing`; empty without drift. */
export function driftTotals(drift: readonly Drift[]): string {
  const objects = (what: Drift['what']) =>
    new Set(
      drift
        .filter((one) => one.what === what)
        .map(({ kind, namespace, name }) => `${kind}/${namespace ?? ''}/${name}`),
    ).size;
  // A text that differs in several places is one field.
  const fields = new Set(
    drift.flatMap(({ what, kind, namespace, name, fields }) =>
      what === 'changed' ? fields.map(({ path }) => `${kind}/${namespace ?? ''}/${name} ${path}`) : [],
    ),
  ).size;
  return [
    ...(fields > 0 ? [`${count(fields, 'field')} of ${count(objects('changed'), 'object')} changed`] : []),
    ...(['missing', 'replaced', 'unexpected'] as const)
      .filter((what) => objects(what) > 0)
      .map((what) => `${count(objects(what), 'object')} ${what}`),
  ].join(', ');
}

/** One line for each field, as evidence and for the log: `ConfigMap/a .data.b: deployed 1, live 2, by "kubectl-edit" at …`. */
export function driftLines({ kind, name, what, fields, by, at }: Drift): string[] {
  const object = `${kind}/${name}`;
  const who = [by && ` by "${by}"`, at && ` at ${at}`].join('');
  const lines = fields.map(
    ({ path, before, after }) =>
      `${object} ${path}: deployed ${before ?? 'nothing'}, live ${after ?? 'nothing'}${who && `, changed${who}`}`,
  );
  return what === 'changed' ? lines : [`${object}: ${DRIFT_WHAT[what]}${who && `, made${who}`}`, ...lines];
}

function rows(drift: Drift): string[] {
  const whole: FieldChange[] = drift.what === 'changed' ? [] : [{ path: '' }];
  return [...whole, ...drift.fields].map((field) => row(drift, field));
}

function row({ kind, name, what, by, at }: Drift, { path, before, after }: FieldChange): string {
  const value = (text: string | undefined) => (text === undefined ? '_nothing_' : code(text, 200));
  const cells = path === '' ? [DRIFT_WHAT[what], '', ''] : [code(path, 300), value(before), value(after)];
  return `| ${[code(`${kind}/${name}`), ...cells, by ? code(by) : '', at ? markdown(at) : ''].join(' | ')} |`;
}
