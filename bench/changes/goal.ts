import type { Traffic } from '../../test/e2e/traffic/traffic.ts';
import type { Row } from '../row.ts';
import { Sample } from '../sample.ts';

/** What each round has to keep to. What is not given is measured and not judged. */
export interface Goal {
  seconds: number;
  failedWrites?: number;
  gapSeconds?: number;
  /** No read fails, and DNS always names an instance. */
  quiet?: boolean;
  /** Two servers answer in every sample: votes are there, whoever leads. */
  quorum?: boolean;
}

/** One change with the traffic beside it. */
export interface Round {
  /** Undefined: it did not work, and `trouble` says why. */
  ms: number | undefined;
  trouble: string;
  writes: number;
  failedWrites: number;
  writeGapMs: number;
  reads: number;
  failedReads: number;
  emptyDns: number;
  failedDns: number;
  fewestAnswering: number;
  withoutLeaderMs: number;
  lost: number;
  /** Why writes failed: when the first did, after the start, and the reason of most. */
  why: string;
}

export async function roundOf(
  ms: number | undefined,
  trouble: string,
  { writes, reads, dns, quorum, lost }: Traffic,
): Promise<Round> {
  return {
    ms,
    trouble,
    writes: writes.sent,
    failedWrites: writes.failures.length,
    writeGapMs: writes.longestGapMs,
    reads: reads.sent,
    failedReads: reads.failures.length,
    emptyDns: dns.empty,
    failedDns: dns.failures.length,
    fewestAnswering: quorum.fewestAnswering,
    withoutLeaderMs: quorum.longestWithoutLeaderMs,
    lost: (await lost()).length,
    why: whyOf(writes.failures),
  };
}

function whyOf(failures: Traffic['writes']['failures']): string {
  const [first] = failures;
  if (!first) return '';
  const byReason = [...Map.groupBy(failures, ({ reason }) => reason)].sort(
    ([, a], [, b]) => b.length - a.length,
  );
  const [most = '', those] = byReason[0] ?? [];
  const at = `${(first.atMs / 1000).toFixed(1)} s`;
  return `writes failed from ${at} on, ${those?.length} of them with: ${most.slice(0, 200)}`;
}

export function said(round: Round): string {
  const time = round.ms === undefined ? `failed: ${round.trouble}` : `${(round.ms / 1000).toFixed(1)} s`;
  return [
    time,
    `${round.failedWrites} of ${round.writes} writes failed, longest gap ${(round.writeGapMs / 1000).toFixed(2)} s`,
    `${round.failedReads} of ${round.reads} reads failed`,
    `${round.emptyDns} DNS answers empty, ${round.failedDns - round.emptyDns} failed`,
    `no leader for ${(round.withoutLeaderMs / 1000).toFixed(1)} s, never fewer than ${round.fewestAnswering} servers answered`,
    ...(round.why ? [round.why] : []),
    ...(round.lost > 0 ? [`**${round.lost} acknowledged keys are missing at a server**`] : []),
  ].join('; ');
}

const counts = (figures: readonly number[], digits = 0) =>
  [Math.min(...figures), new Sample(figures).median, Math.max(...figures)]
    .map((figure) => figure.toFixed(digits))
    .join(' / ');

/** A line of the table. Every round has to meet the goal, not the median alone. */
export function judged(name: string, rounds: readonly Round[], goal: Goal | undefined): Row {
  const times = rounds.flatMap(({ ms }) => ms ?? []);
  const all = (pick: (round: Round) => number) => rounds.map(pick);
  const gaps = all(({ writeGapMs }) => writeGapMs / 1000);
  const measured = [
    times.length > 0 ? new Sample(times).seconds() : '',
    times.length < rounds.length ? `**${rounds.length - times.length} of ${rounds.length} failed**` : '',
    `failed writes ${counts(all(({ failedWrites }) => failedWrites))} of ${counts(all(({ writes }) => writes))}`,
    `longest gap ${counts(gaps, 2)} s`,
    `failed reads ${counts(all(({ failedReads }) => failedReads))}`,
    `empty DNS answers ${counts(all(({ emptyDns }) => emptyDns))}`,
    rounds.some(({ lost }) => lost > 0) ? '**acknowledged keys lost**' : '',
  ];
  const { seconds = Infinity, failedWrites = Infinity, gapSeconds = Infinity, quiet, quorum } = goal ?? {};
  const met = rounds.every(
    (round) =>
      round.ms !== undefined &&
      round.ms <= seconds * 1000 &&
      round.failedWrites <= failedWrites &&
      round.writeGapMs <= gapSeconds * 1000 &&
      (!quiet || round.failedReads + round.emptyDns === 0) &&
      (!quorum || round.fewestAnswering >= 2) &&
      round.lost === 0,
  );
  const wanted = [
    goal && `≤ ${seconds} s`,
    failedWrites < Infinity && `≤ ${failedWrites} failed writes`,
    gapSeconds < Infinity && `gap ≤ ${gapSeconds} s`,
    quiet && 'no failed read, no empty DNS answer',
    quorum && 'two servers always answer',
    'no key lost',
  ];
  return {
    name,
    measured: measured.filter(Boolean).join('; '),
    goal: wanted.filter(Boolean).join(', '),
    met,
  };
}
