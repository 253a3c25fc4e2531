import type { Sighting } from './classifier.ts';
import { hopelessFirst, type Signature } from './signature.ts';

/**
 * What to tell of a verdict: what was decided on, or what explains it better, with those named last that have come
 * to show the same only since: they may have a reason of their own.
 */
export function causeOf(found: readonly Signature[], decided: ReadonlySet<Sighting>): Signature | undefined {
  const decisive = found.find(({ all }) => all.some((one) => decided.has(one)));
  if (!decisive) return undefined;
  const explaining = explanation(decisive, found) ?? decisive;
  return latecomersLast(plainest(explaining, found), decided);
}

/** What one of the same subjects says of itself, or another of their kind: nearer to the cause than what it shows. */
function explanation(decisive: Signature, found: readonly Signature[]): Signature | undefined {
  const uids = new Set(decisive.all.map(({ subject }) => subject.uid));
  const roles = new Set(decisive.all.map(({ subject }) => subject.role));
  const explaining = found.filter(({ first }) => first.explains);
  return (
    explaining.find(({ all }) => all.some(({ subject }) => uids.has(subject.uid))) ??
    explaining.find(({ all }) => all.some(({ subject }) => roles.has(subject.role)))
  );
}

/** The same reason may also have been seen directly, which says more exactly who is wrong than a line of a log. */
function plainest(cause: Signature, found: readonly Signature[]): Signature {
  if (!cause.first.explains) return cause;
  return found.find(({ first }) => first.reason === cause.first.reason && !first.explains) ?? cause;
}

/** What began within this time of each other began together, in ms. */
const TOGETHER_MS = 15_000;

function latecomersLast(cause: Signature, decided: ReadonlySet<Sighting>): Signature {
  const began = cause.all.flatMap((one) => (decided.has(one) ? [one.sinceMs] : []));
  const isLate = ({ sinceMs }: Sighting) => sinceMs > Math.min(...began) + TOGETHER_MS;
  const all = cause.all.toSorted((a, b) => Number(isLate(a)) - Number(isLate(b)));
  const [first = cause.first] = all.filter((one) => !isLate(one)).toSorted(hopelessFirst);
  return { ...cause, first, all, subjects: [...new Set(all.map(({ subject }) => subject.name))] };
}
