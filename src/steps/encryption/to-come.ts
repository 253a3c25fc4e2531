import type { EncryptionStep } from '../../report/result/encryption-step.ts';
import type { Run } from '../../session/run.ts';
import { isToAnother } from './certificates.ts';
import type { GossipGoal } from './settle-gossip.ts';
import type { TlsGoal } from './settle-tls.ts';

/**
 * What a deploy has yet to do to the agents that run, for its plan. No object shows it: the files of a Secret take the agents
 * there, one state after the other.
 */
export function encryptionToCome(
  run: Pick<Run, 'config'>,
  gossip: Pick<GossipGoal, 'goal' | 'files' | 'isNew' | 'key'>,
  tls: Pick<TlsGoal, 'goal' | 'files' | 'isNew' | 'given' | 'authority'>,
): EncryptionStep[] {
  return [
    ...way('gossip', gossip),
    ...(getsKey(run, gossip) ? [{ is: 'another-key' } as const] : []),
    ...way('rpc', tls),
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

function way(
  what: 'gossip' | 'rpc',
  {
    goal,
    files,
    isNew,
  }: Pick<GossipGoal | TlsGoal, 'goal' | 'isNew'> & { files?: { state: string } | undefined },
): EncryptionStep[] {
  const from = files?.state ?? 'off';
  if (isNew || goal === 'own' || goal === 'as-it-is' || from === goal) return [];
  return [{ is: 'way', what, from, to: goal }];
}
