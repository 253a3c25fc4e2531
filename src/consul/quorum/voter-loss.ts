import type { ServerEvidence } from './evidence.ts';
import type { RaftServer } from './evidence-answer.ts';

/** What is left of a quorum when some of its servers stop, or leave. */
export type QuorumAfter =
  | { quorum: 'kept' }
  | {
      quorum: 'lost';
      voters: number;
      /** How many of the voters that live would stay. */
      left: number;
      needed: number;
      /** Voters that do not live now, and would stay. */
      down: string[];
    }
  | { quorum: 'unknown'; why: string };

/**
 * Whether Raft keeps a quorum when these servers stop at once: they stay voters until autopilot has removed them, so
 * those that live and stay have to be a quorum of all. Every server that tells has a say.
 */
export function quorumWithout(evidence: readonly ServerEvidence[], stopped: readonly string[]): QuorumAfter {
  const told = evidence.flatMap((said) => judge(said, stopped) ?? []);
  const lost = told.find(({ quorum }) => quorum === 'lost');
  return lost ?? told[0] ?? { quorum: 'unknown', why: whyUnknown(evidence) };
}

/**
 * Whether Raft keeps a quorum while these servers leave one after the other, in this order: each is a voter no more before
 * the next leaves, so those that live and stay have to be a quorum of those that stay, at each step. Raft counts by the
 * new configuration as soon as it is in the leader's log (Raft, section 4.1: https://github.com/ongardie/dissertation).
 * A server lives when it says itself who leads, too: autopilot notices a dead one only after seconds.
 * @param evidence of every server that runs
 */
export function quorumWhileLeaving(
  evidence: readonly ServerEvidence[],
  leaving: readonly string[],
): QuorumAfter {
  const following = evidence.flatMap(({ name, leader }) => (leader ? [name] : []));
  const steps = leaving.map((_, index) => {
    const gone = leaving.slice(0, index + 1);
    const told = evidence.flatMap((said) => judge(said, gone, { noVoters: gone, following }) ?? []);
    return told.find(({ quorum }) => quorum === 'lost') ?? told[0];
  });
  const lost = steps.find((step) => step?.quorum === 'lost');
  return lost ?? steps[0] ?? { quorum: 'unknown', why: whyUnknown(evidence) };
}

/**
 * @param leaving.noVoters those of the stopped that are voters no more
 * @param leaving.following those that say who leads; of others nothing can be expected
 */
function judge(
  { raft, autopilot }: ServerEvidence,
  stopped: readonly string[],
  leaving?: { noVoters: readonly string[]; following: readonly string[] },
): QuorumAfter | undefined {
  if (!raft || !autopilot) return undefined;
  const voters = raft.filter(({ voter, node }) => voter && !leaving?.noVoters.includes(node));
  const lives = ({ address, node }: RaftServer) =>
    (leaving?.following.includes(node) ?? true) &&
    autopilot.servers.some(
      (server) => server.address === address && server.healthy && server.nodeStatus === 'alive',
    );
  const staying = voters.filter(({ node }) => !stopped.includes(node));
  const left = staying.filter(lives).length;
  const needed = Math.floor(voters.length / 2) + 1;
  if (left >= needed) return { quorum: 'kept' };
  const down = staying.filter((server) => !lives(server)).map(({ node, address }) => `${node} (${address})`);
  return { quorum: 'lost', voters: voters.length, left, needed, down };
}

function whyUnknown(evidence: readonly ServerEvidence[]): string {
  const [said] = evidence;
  if (!said) return 'no server runs that could be asked';
  const denied = evidence.find((one) => one.denied.includes('raft') || one.denied.includes('autopilot'));
  if (denied) return `ACLs deny operator:read at ${denied.name}`;
  const why = said.errors.autopilot ?? said.errors.raft ?? said.errors.leader ?? 'no answer';
  return `${said.name} does not answer: ${why}`;
}

/** Whether Raft counts this server now: a voter that lives. Undefined where no server tells. */
export function isCounted(evidence: readonly ServerEvidence[], name: string): boolean | undefined {
  const told = evidence.flatMap(({ autopilot }) => autopilot ?? []);
  if (told.length === 0) return undefined;
  return told.some(({ servers }) =>
    servers.some(
      (server) =>
        server.name === name &&
        server.nodeStatus === 'alive' &&
        (server.status === 'voter' || server.status === 'leader'),
    ),
  );
}
