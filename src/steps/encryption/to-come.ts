import type { EncryptionStep } from '../../report/result/encryption-step.ts';
import type { Run } from '../../session/run.ts';
import { isToAnother } from './certificates.ts';
import { type GossipGoal, gossipByRecord } from './settle-gossip.ts';
import { type TlsGoal, tlsByRecord } from './settle-tls.ts';

/**
 * What a deploy has yet to do to the agents that run, for its plan. No object shows it: the files of a Secret take the agents
 * there, one state after the other. Nobody has looked at the agents yet: it goes by the Secrets, and where these are gone by
 * what the last run saw.
 */
export function encryptionToCome(
  run: Pick<Run, 'config'>,
  gossip: Pick<GossipGoal, 'goal' | 'files' | 'seen' | 'isNew' | 'key'>,
  tls: Pick<TlsGoal, 'goal' | 'files' | 'seen' | 'isNew' | 'given' | 'authority'>,
): EncryptionStep[] {
  return [
    ...wayOfGossip(gossip),
    ...(getsKey(run, gossip) ? [{ is: 'another-key' } as const] : []),
    ...way('rpc', tls, tlsByRecord(tls)),
    ...(getsAuthority(run, tls) ? [{ is: 'another-authority' } as const] : []),
  ];
}

/** As asked for, unless it is there already; or a run before was ended on the way. */
function getsKey(
  { config }: Pick<Run, 'config'>,
  { goal, files, isNew, key }: Pick<GossipGoal, 'goal' | 'files' | 'isNew' | 'key'>,
): boolean {
  if (goal !== 'strict') return false;
  if (files?.rotation) return true;
  // The first key is the one that is given, too.
  const isThere = key !== undefined && (files?.keys[0] ?? key) === key;
  return config.rotate.includes('gossip') && !isNew && !isThere;
}

function getsAuthority(
  { config }: Pick<Run, 'config'>,
  { goal, files, isNew, ...tls }: Pick<TlsGoal, 'goal' | 'files' | 'isNew' | 'given' | 'authority'>,
): boolean {
  if (goal !== 'enforced' || isNew) return false;
  return config.rotate.includes('ca') || (files?.state === 'enforced' && isToAnother(tls, files));
}

function wayOfGossip(gossip: Pick<GossipGoal, 'goal' | 'files' | 'seen' | 'isNew'>): EncryptionStep[] {
  const { goal, files, isNew } = gossip;
  const from = gossipByRecord(gossip);
  if (files || isNew || from === 'off') return way('gossip', gossip, from);
  // Without its Secret nobody takes them back.
  return goal === 'strict' ? [{ is: 'key-into-secret' }, ...way('gossip', gossip, from)] : [];
}

function way(
  what: 'gossip' | 'rpc',
  { goal, isNew }: Pick<GossipGoal | TlsGoal, 'goal' | 'isNew'>,
  from: string,
): EncryptionStep[] {
  if (isNew || goal === 'own' || goal === 'as-it-is' || from === goal) return [];
  return [{ is: 'way', what, from, to: goal }];
}
