import type { ServerEvidence } from './evidence.ts';

/** What is left of a quorum when some of its servers stop at once. */
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

function judge({ raft, autopilot }: ServerEvidence, stopped: readonly string[]): QuorumAfter | undefined {
  if (!raft || !autopilot) return undefined;
  const voters = raft.filter(({ voter }) => voter);
  const lives = (address: string) =>
    autopilot.servers.some(
      (server) => server.address === address && server.healthy && server.nodeStatus === 'alive',
    );
  const staying = voters.filter(({ node }) => !stopped.includes(node));
  const left = staying.filter(({ address }) => lives(address)).length;
  const needed = Math.floor(voters.length / 2) + 1;
  if (left >= needed) return { quorum: 'kept' };
  const down = staying
    .filter(({ address }) => !lives(address))
    .map(({ node, address }) => `${node} (${address})`);
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
