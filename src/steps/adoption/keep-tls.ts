import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { secretsOf } from '../encryption/certificates.ts';
import type { GossipGoal } from '../encryption/settle-gossip.ts';
import type { TlsGoal } from '../encryption/settle-tls.ts';
import { type GivenCertificates, givenCertificates } from '../encryption/tls-secrets.ts';
import type { Takeover } from './takeover.ts';
import type { NewCertificates } from './tls-obstacle.ts';

/** What RPC is to be where the agents that are taken over verify certificates; undefined where the new ones have none. */
export interface KeptTls {
  tls: TlsGoal;
  certificates: NewCertificates;
}

/** @throws Failure `certificate` for certificates that were given and cannot be used */
export async function readKeptTls(
  run: Run,
  cluster: Cluster,
  tls: TlsGoal,
  takeovers: readonly Takeover[],
): Promise<KeptTls | undefined> {
  if (takeovers.length === 0) return undefined;
  // Where nobody has asked for TLS they were not looked at yet.
  const given = tls.goal === 'as-it-is' ? await givenCertificates(run, cluster) : tls.given;
  return keptTls(tls, given, takeovers);
}

/**
 * New agents enforce TLS from their first word, as those of a new cluster do: nobody walks there. Once a run before has moved
 * servers, those that follow begin with the same files; if the user gives others by now, all agents get these in the end.
 */
export function keptTls(
  tls: TlsGoal,
  given: GivenCertificates | undefined,
  takeovers: readonly Pick<Takeover, 'role' | 'state'>[],
): KeptTls | undefined {
  if (tls.goal === 'own' || tls.goal === 'off') return undefined;
  const begins = takeovers.some(({ role, state }) => role === 'server' && state === 'fresh');
  const { files } = tls;
  const isWhole = files?.state === 'enforced' && !files.rotation && !tls.isTorn;
  if (given && (begins || !isWhole)) {
    const isNew = true;
    return { tls: { ...tls, goal: 'enforced', isNew, given }, certificates: { ...given, isNew } };
  }
  if (!isWhole) return undefined;
  return { tls: { ...tls, goal: 'enforced' }, certificates: { ...files, isNew: false } };
}

/** What becomes of the gossip and the RPC of a cluster. */
export interface EncryptionGoals {
  gossip: GossipGoal;
  tls: TlsGoal;
}

/** What is encrypted where agents are taken over stays encrypted, and nobody walks there. */
export function keptEncryption(
  { gossip, tls }: EncryptionGoals,
  { encrypted, verified, kept }: { encrypted: boolean; verified: boolean; kept: KeptTls | undefined },
): EncryptionGoals {
  return {
    gossip: encrypted ? { ...gossip, goal: 'strict', seen: 'strict' } : gossip,
    tls: verified && kept ? kept.tls : tls,
  };
}

/** For a plan. */
export function describeKeptTls({ tls: { given, files } }: KeptTls): string {
  const from = given?.from ?? files?.from;
  return `stays with TLS: new agents begin with ${from ? `the certificates of ${secretsOf(from)}` : 'the certificates of this deployment'}, of the authority that the old ones trust`;
}
