import type { ServerEvidence } from './evidence.ts';
import { raftAddress } from './finding.ts';

/**
 * So many entries a server may lack: those that are on their way while one after the other is asked. It is what autopilot
 * allows, too (https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/general#max_trailing_logs).
 */
const TRAILING = 250;

export type CatchUp = { state: 'caught-up' } | { state: 'behind'; why: string } | { state: 'unknown' };

/**
 * Whether all of these servers have what the leader has, by their own words: each is in one term with the others, hears
 * from the leader, has its log, and is alive in gossip at the address that Raft dials. Autopilot says the same, up to two
 * seconds later: of a server that has just been replaced it still says what was before, good or bad.
 */
export function catchUpOf(evidence: readonly ServerEvidence[], names: readonly string[]): CatchUp {
  const said = names.map((name) => evidence.find((one) => one.name === name));
  const known = said.flatMap((one) => (one && isComplete(one) ? [one] : []));
  if (known.length === 0 || known.length < names.length) return { state: 'unknown' };
  const last = Math.max(...known.map(({ log }) => log.lastIndex));
  const term = Math.max(...known.map((one) => one.term));
  for (const one of known) {
    const why = lackOf(one, known, { last, term });
    if (why !== undefined) return { state: 'behind', why };
  }
  return { state: 'caught-up' };
}

type Complete = ServerEvidence &
  Required<Pick<ServerEvidence, 'leader' | 'term' | 'raft' | 'members' | 'log'>>;

function isComplete(said: ServerEvidence): said is Complete {
  const { leader, term, raft, members, log, denied } = said;
  if (denied.includes('members')) return false;
  return [leader, term, raft, members, log].every((answer) => answer !== undefined);
}

function lackOf(
  { name, term, log, leader, raft }: Complete,
  all: readonly Complete[],
  newest: { last: number; term: number },
): string | undefined {
  if (leader === '') return `${name} knows no leader`;
  if (term !== newest.term) return `${name} is in term ${term}, others in ${newest.term}`;
  if (!log.hearsLeader) return `${name} does not hear from the leader`;
  const missing = newest.last - log.appliedIndex;
  if (missing > TRAILING) return `${name} lacks ${missing} entries of the log`;
  const address = raft.find(({ node }) => node === name)?.address;
  const deaf = all.find(({ members }) => {
    const member = members.find((one) => one.name === name);
    return member?.status !== 'alive' || raftAddress(member.ip) !== address;
  });
  return (
    deaf && `${deaf.name} does not see ${name} alive in gossip at ${address ?? 'an address that it knows'}`
  );
}
