import { type KeyPair, newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { authoritySecret, type TlsFiles, tlsSecret } from '../../../src/manifests/tls.ts';
import { clientLeafNames, serverLeafNames } from '../../../src/steps/encryption/leaf-names.ts';
import type { TlsGoal } from '../../../src/steps/encryption/settle-tls.ts';
import { OURS } from '../../session/fake-api.ts';
import { config } from '../../session/fixture.ts';

export const DAY_MS = 86_400_000;

export const authority: KeyPair = await newAuthority('consul');

/** Pairs of both roles, that were made so many days ago. */
export async function pairs(of = authority, days = 0): Promise<{ server: KeyPair; client: KeyPair }> {
  const since = Date.now() - days * DAY_MS;
  const [server, client] = await Promise.all([
    newLeaf(of, serverLeafNames(config()), since),
    newLeaf(of, clientLeafNames(config()), since),
  ]);
  return { server, client };
}

const PAIRS = await pairs();

/** What the Secrets say. */
export function tlsFiles(change: Partial<TlsFiles> = {}): TlsFiles {
  const base = { state: 'enforced', goal: 'enforced', revision: 5 } as const;
  return { ...base, authorities: authority.certificate, ...PAIRS, ...change };
}

/** The Secrets of a deployment with these. */
export function tlsSecrets(files: TlsFiles, by: KeyPair | undefined = authority): KubernetesObject[] {
  const roles = (['server', 'client'] as const).map((role) => tlsSecret(config(), role, files));
  const all = by ? [...roles, authoritySecret(config(), by)] : roles;
  return all.map((secret) => ({ ...secret, metadata: { ...secret.metadata, managedFields: [OURS] } }));
}

/** What was settled for a cluster that runs. */
export function tlsGoal(change: Partial<TlsGoal> = {}): TlsGoal {
  return {
    goal: 'enforced',
    isNew: false,
    files: undefined,
    isTorn: false,
    authority,
    given: undefined,
    access: [],
    ...change,
  };
}
