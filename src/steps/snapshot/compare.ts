import type { Difference } from '../../consul/snapshot/difference.ts';
import { visible } from '../../consul/snapshot/name.ts';
import type { SnapshotCounts } from '../../consul/snapshot/record-type.ts';
import type { DifferentNames, SnapshotDifference } from '../../report/result/snapshot.ts';
import type { Run } from '../../session/run.ts';
import { NOUNS, STEADY_KINDS } from './counted.ts';
import type { Inspected } from './inspect.ts';
import { named } from './named.ts';

/** Of each list in the report. */
const MOST_NAMES = 100;

/** Tells in what the inspected snapshot differs from the other one: by name, never by value. */
export function tellWhatDiffers(run: Run, here: Inspected, there: Inspected): void {
  const { keys, nodes, services } = here.contents.comparedWith(there.contents);
  const counts = countsThatDiffer(here.snapshot.counts, there.snapshot.counts);
  const steady = counts.filter(({ kind }) => STEADY_KINDS.some((one) => NOUNS[one] === kind));
  const total = [keys, nodes, services].reduce((sum, one) => sum + size(one), steady.length);
  const { index, takenAt } = there.snapshot;
  run.known.difference = {
    with: there.from,
    index,
    ...(takenAt !== undefined && { takenAt }),
    total,
    keys: reported(keys),
    nodes: reported(nodes),
    services: reported(services),
    counts,
  };
  const other = there.from === 'cluster' ? 'the cluster' : there.from;
  const lines = [
    ...sentences(keys, 'key', other),
    ...sentences(nodes, 'node', other),
    ...sentences(services, 'service', other),
    ...counts.map((one) => `${one.kind}: ${one.here} in the snapshot, ${one.there} in ${other}`),
  ];
  const observed = lines.length > 0 ? lines.join('; ') : 'nothing differs';
  const check = {
    id: 'snapshot-difference',
    title: 'Difference',
    group: 'data',
    expected: 'is told',
  } as const;
  run.check({ ...check, observed, passed: true });
}

/** Of the kinds that are not compared by name. */
function countsThatDiffer(here: SnapshotCounts, there: SnapshotCounts): SnapshotDifference['counts'] {
  const { keys: _k, nodes: _n, services: _s, ...others } = NOUNS;
  return Object.entries(others)
    .map(([kind, noun]) => ({ kind: noun, ...pair(kind as keyof SnapshotCounts, here, there) }))
    .filter((one) => one.here !== one.there);
}

function pair(kind: keyof SnapshotCounts, here: SnapshotCounts, there: SnapshotCounts) {
  return { here: here[kind], there: there[kind] };
}

function size({ removed, added, changed }: Difference): number {
  return removed.length + added.length + changed.length;
}

function reported({ removed, added, changed }: Difference): DifferentNames {
  const names = (all: readonly string[]) => ({
    total: all.length,
    names: all.slice(0, MOST_NAMES).map(visible),
  });
  return { onlyHere: names(removed), onlyThere: names(added), changed: names(changed) };
}

function sentences({ removed, added, changed }: Difference, noun: string, other: string): string[] {
  const lines: [string[], string][] = [
    [removed, 'only in the snapshot'],
    [added, `only in ${other}`],
    [changed, 'changed'],
  ];
  return lines
    .filter(([names]) => names.length > 0)
    .map(([names, how]) => `${how}: ${named({ total: names.length, names }, noun)}`);
}
