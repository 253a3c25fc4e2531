import picomatch from 'picomatch';
import { Failure } from '../../failure.ts';
import { leadsToSecret } from '../../secret/name.ts';
import { ApiError } from '../error.ts';
import { type KubernetesObject, objectName } from '../object.ts';
import { fieldAt } from './field.ts';

const LONGEST_VALUE = 60;

/** One field of an object that we want and another field manager owns. */
export interface Conflict {
  /** `StatefulSet/consul-server` */
  object: string;
  /** `.spec.replicas` */
  field: string;
  manager: string;
  /** Through which the manager wrote it, such as `scale`. */
  subresource?: string;
  /** Ready to be shown: JSON, shortened, or why it is not shown. */
  live: string;
  wanted: string;
}

/** The conflicts an apply was refused for; empty when the error is something else. */
export function conflictsOf(
  error: unknown,
  desired: KubernetesObject,
  live: KubernetesObject | undefined,
): Conflict[] {
  if (!(error instanceof ApiError) || error.status !== 409) return [];
  const conflicts = (error.details?.causes ?? [])
    .filter((cause) => cause.reason === 'FieldManagerConflict')
    .map(({ field = '', message = '' }) => ({
      object: objectName(desired),
      field,
      ...managerOf(message),
      live: shown(desired.kind, field, fieldAt(live, field)),
      wanted: shown(desired.kind, field, fieldAt(desired, field)),
    }));
  // The API server repeats a cause for each version of the object that the manager has written.
  return [...new Map(conflicts.map((conflict) => [`${conflict.field} ${who(conflict)}`, conflict])).values()];
}

/** Whether a glob of `force-conflicts` (`Kind/name:field.path`) covers the conflict. */
export function isAllowed(conflict: Conflict, globs: readonly string[]): boolean {
  return globs.some((glob) => {
    const [name, path] = split(glob);
    return matches(conflict.object, name) && matches(conflict.field.replace(/^\./, ''), path);
  });
}

export function conflictLine(conflict: Conflict): string {
  const { object, field, live, wanted } = conflict;
  return `${object} ${field}: owned by "${who(conflict)}" (live ${live}, wanted ${wanted})`;
}

/** The ways out, with the lines to paste. */
export function conflictHint(conflicts: readonly Conflict[]): string {
  const globs = [...new Set(conflicts.map(({ object, field }) => `${object}:${field}`))];
  const managers = [...new Set(conflicts.map((conflict) => `"${who(conflict)}"`))];
  return [
    `Make the change with ${managers.join(' and ')}, which owns the field; or leave the field out;`,
    `or take it over with \`force-conflicts: ${globs.join(', ')}\`.`,
  ].join(' ');
}

export function conflictFailure(conflicts: readonly Conflict[]): Failure {
  const objects = [...new Set(conflicts.map(({ object }) => object))];
  return new Failure({
    reason: 'conflict',
    what: `${conflicts.length === 1 ? 'a field is' : `${conflicts.length} fields are`} owned by another field manager`,
    where: objects.join(', '),
    hint: conflictHint(conflicts),
    details: conflicts.map(conflictLine),
  });
}

/** `conflict with "kubectl-edit" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z` */
function managerOf(message: string): Pick<Conflict, 'manager' | 'subresource'> {
  const [, manager = 'another manager', subresource] =
    /^conflict with "((?:[^"\\]|\\.)*)"(?: with subresource "([^"]*)")?/.exec(message) ?? [];
  return { manager, ...(subresource !== undefined && { subresource }) };
}

function who({ manager, subresource }: Conflict): string {
  return subresource === undefined ? manager : `${manager} (${subresource})`;
}

function split(glob: string): [string, string] {
  const colon = glob.indexOf(':');
  if (colon < 0) return [glob, '**'];
  return [glob.slice(0, colon), glob.slice(colon + 1).replace(/^\./, '')];
}

/** Brackets are selectors here, not sets of characters, and `*` crosses the slashes of annotation keys. */
function matches(text: string, glob: string): boolean {
  const options = { nobracket: true, nonegate: true, bash: true, dot: true };
  return text === glob || picomatch(glob, options)(text);
}

/** Values of Secrets never; long text only by its length, since agent configuration may hold keys as well. */
function shown(kind: string, field: string, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (kind === 'Secret' && !field.startsWith('.metadata.')) return '(hidden)';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (leadsToSecret(field)) return '(hidden)';
  const text = JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `(${text.length} characters)` : text;
}
