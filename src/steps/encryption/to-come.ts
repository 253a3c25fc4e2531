import type { GossipGoal } from './settle-gossip.ts';
import type { TlsGoal } from './settle-tls.ts';

/**
 * What a deploy has yet to do to the agents that run, for its plan: `gossip: off → strict`. No object shows it: the files of
 * a Secret take the agents there, one state after the other.
 */
export function encryptionToCome(
  gossip: Pick<GossipGoal, 'goal' | 'files' | 'isNew'>,
  tls: Pick<TlsGoal, 'goal' | 'files' | 'isNew'>,
): string[] {
  return [...way('gossip', gossip), ...way('TLS', tls)];
}

function way(
  what: string,
  {
    goal,
    files,
    isNew,
  }: Pick<GossipGoal | TlsGoal, 'goal' | 'isNew'> & { files?: { state: string } | undefined },
): string[] {
  const from = files?.state ?? 'off';
  if (isNew || goal === 'own' || goal === 'as-it-is' || from === goal) return [];
  return [`${what}: ${from} → ${goal}`];
}
