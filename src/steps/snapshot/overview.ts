import type { VerifiedSnapshot } from '../../consul/snapshot/archive.ts';
import type { Breakdown } from '../../consul/snapshot/breakdown.ts';
import { visible } from '../../consul/snapshot/name.ts';
import type { SnapshotOverview } from '../../report/result/snapshot.ts';

/** Of prefixes and services in the report. */
const MOST_ROWS = 100;

/** What the report says is in a snapshot. */
export function overview(
  { index, takenAt, counts }: VerifiedSnapshot,
  breakdown: Breakdown,
): SnapshotOverview {
  return {
    index,
    ...(takenAt !== undefined && { takenAt }),
    versions: breakdown.versions().map(visible),
    counts: { ...counts },
    prefixes: breakdown.prefixes(MOST_ROWS).map((row) => ({ ...row, prefix: visible(row.prefix) })),
    services: breakdown.services(MOST_ROWS).map((row) => ({ ...row, service: visible(row.service) })),
  };
}
