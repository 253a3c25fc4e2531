import type { Sighting } from './classifier.ts';

/** The same trouble of several objects. */
export interface Signature {
  /** Speaks for all: one that cannot heal before those of which less has been seen yet. */
  first: Sighting;
  all: readonly Sighting[];
  /** Names of all that have it: servers first, each in their order. */
  subjects: string[];
  /** Of pods, where known. */
  nodes: string[];
}

/** Groups by what is wrong, names and numbers aside: those with servers first, then the largest. */
export function signatures(sightings: readonly Sighting[]): Signature[] {
  const groups = Map.groupBy(sightings, (one) =>
    JSON.stringify([one.reason, one.subject.container ?? '', normalise(one)]),
  );
  const found = [...groups.values()].flatMap((group): Signature[] => {
    const all = group.toSorted(
      (a, b) => rank(a) - rank(b) || collator.compare(a.subject.name, b.subject.name),
    );
    const [first] = all.toSorted(hopelessFirst);
    if (!first) return [];
    const subjects = [...new Set(all.map(({ subject }) => subject.name))];
    const nodes = [...new Set(all.flatMap(({ subject }) => subject.node ?? []))].sort(collator.compare);
    return [{ first, all, subjects, nodes }];
  });
  return found.sort((a, b) => rank(a.first) - rank(b.first) || b.subjects.length - a.subjects.length);
}

const collator = new Intl.Collator('en', { numeric: true });

function rank({ subject }: Sighting): number {
  return subject.role === 'server' ? 0 : 1;
}

/** Those that cannot heal before those of which less has been seen yet, otherwise as they are. */
export function hopelessFirst(a: Sighting, b: Sighting): number {
  return Number(!Number.isFinite(a.dueMs)) - Number(!Number.isFinite(b.dueMs));
}

/** `7 pods (consul-client-0, …): ErrImagePull: unauthorized, all on n3`. */
export function describeSignature({ first, subjects, nodes }: Signature): string {
  const [name] = subjects;
  const many = subjects.length > 1;
  const listed = subjects.slice(0, 3).join(', ');
  const who = many ? `${subjects.length} pods (${listed}${subjects.length > 3 ? ', …' : ''})` : name;
  const where = nodes.length === 1 ? `, ${many ? 'all ' : ''}on ${nodes[0]}` : '';
  return `${who}: ${first.what}${where}`;
}

/** Without what differs from pod to pod: its own name, uids, addresses and numbers. */
function normalise({ what, alike, subject }: Sighting): string {
  return (alike ?? what)
    .replaceAll(subject.name, '…')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+/g, '…')
    .replace(/\d+/g, '#');
}
