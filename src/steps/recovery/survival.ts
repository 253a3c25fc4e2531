import { byLog, type RaftMember } from '../../consul/quorum/raft-member.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';

/** What was seen of one server. */
export type ServerData =
  /** Its agent answers and has a log. */
  | { state: 'answers'; name: string; member: RaftMember }
  /** Its data directory was looked at and holds no log, so that the guard holds it back; or its agent says that it has none. */
  | { state: 'empty'; name: string; isHeld: boolean }
  /** Its data directory holds a log, and its agent does not answer. */
  | { state: 'silent'; name: string; why: string }
  /** Neither could be asked. */
  | { state: 'unknown'; name: string; why: string };

export type Survival =
  | { is: 'led'; leader: string }
  | {
      is: 'survivors';
      /** The one whose log reaches the furthest first. */
      survivors: [RaftMember, ...RaftMember[]];
      lost: string[];
    };

/** Every server was seen to have nothing: there is nothing left that could be lost. */
export function isAllLost(servers: readonly ServerData[]): boolean {
  return servers.every(({ state }) => state === 'empty');
}

/**
 * Whether the quorum is gone for good, and who is left of it. That is only so where every server was seen, and those without
 * an answer were seen to have no data: a server that is merely away may hold what was acknowledged and nobody else has.
 * @throws Failure `no-leader` where a quorum may still come back, or is not known to be lost; `data-lost` where nothing is left
 */
export function judgeSurvival(servers: readonly ServerData[], where: string): Survival {
  const members = servers.flatMap((server) => (server.state === 'answers' ? [server.member] : []));
  const led = members.find(({ leader }) => leader !== '');
  if (led) return { is: 'led', leader: led.leader };
  const lost = servers.flatMap(({ state, name }) => (state === 'empty' ? [name] : []));
  if (isAllLost(servers)) throw allLost(where);
  const refuse = (what: string, hint: string, details: string[]) =>
    new Failure({ reason: 'no-leader', what: `the quorum is not rebuilt: ${what}`, where, hint, details });

  const open = servers.filter(({ state }) => state === 'silent' || state === 'unknown');
  if (open.length > 0) {
    throw refuse(
      `of ${count(open.length, 'server')} it is not known that the data is lost`,
      'Bring them back: with their data there may be a leader again, and nothing is lost. Where the data is gone or is to be given up, delete the volume claim and the pod of that server; it comes back empty, and is known to be lost.',
      open.map(told),
    );
  }
  const [first, ...others] = byLog(members);
  if (!first) throw new Error('neither lost nor open, and nobody answers');
  const survivors: [RaftMember, ...RaftMember[]] = [first, ...others];
  const { voters } = first;
  const present = voters.filter(({ id }) => members.some((member) => member.id === id));
  const details = [`${first.name} counts ${voters.map(({ address }) => address).join(', ')}`];
  if (present.length > voters.length / 2) {
    throw refuse(
      `${present.length} of ${count(voters.length, 'voter')} have their data, which is enough for a leader`,
      '`mode: verify` says why they have none.',
      details,
    );
  }
  if (voters.length > servers.length) {
    throw refuse(
      `there are ${count(voters.length, 'voter')}, and ${count(servers.length, 'server')} are deployed`,
      'The others may still have their data. Bring them back, or remove their votes by hand as https://developer.hashicorp.com/consul/tutorials/datacenter-operations/recovery-outage says.',
      details,
    );
  }
  return { is: 'survivors', survivors, lost };
}

function allLost(where: string): Failure {
  return new Failure({
    reason: 'data-lost',
    what: 'no server has its data, so there is no survivor',
    where,
    hint: 'Restore a snapshot: `mode: restore` with `restore: <file>` and without `from` starts an empty cluster first.',
  });
}

function told(server: ServerData): string {
  if (server.state === 'unknown') return `${server.name}: ${server.why}`;
  if (server.state === 'silent')
    return `${server.name}: has data, and its agent does not answer: ${server.why}`;
  return server.name;
}
