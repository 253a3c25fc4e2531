import { describe, expect, it } from 'vitest';
import { newAuthority } from '../../../src/certificates/authority.ts';
import { authoritySecret } from '../../../src/manifests/tls.ts';
import {
  describeKeptTls,
  keptEncryption,
  keptTls,
  readKeptTls,
} from '../../../src/steps/adoption/keep-tls.ts';
import type { Takeover } from '../../../src/steps/adoption/takeover.ts';
import { beginWithTls } from '../../../src/steps/encryption/certificates.ts';
import type { GossipGoal } from '../../../src/steps/encryption/settle-gossip.ts';
import type { GivenCertificates } from '../../../src/steps/encryption/tls-secrets.ts';
import { encryptionToCome } from '../../../src/steps/encryption/to-come.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { config, startRun } from '../../session/fixture.ts';
import { authority, pairs, tlsFiles, tlsGoal } from '../encryption/tls-files.ts';

/** `tls: true`, and nothing is known of agents that somebody else has made. */
const asked = tlsGoal({ goal: 'enforced', files: undefined, authority: undefined });
const GOSSIP: GossipGoal = { goal: 'strict', files: undefined, isNew: false, key: undefined, access: [] };

type Some = Pick<Takeover, 'role' | 'state'>;

const from = { server: 'for-servers', client: 'for-clients' };
const given: GivenCertificates = { authorities: authority.certificate, ...(await pairs()), from };
const another = await newAuthority('another');
const FRESH: Some[] = [
  { role: 'server', state: 'fresh' },
  { role: 'client', state: 'fresh' },
];
const BEGUN: Some[] = [
  { role: 'server', state: 'unfinished' },
  { role: 'client', state: 'fresh' },
];
const asItIs = tlsGoal({ goal: 'as-it-is', authority: undefined });

describe('new agents in the place of those that verify certificates', () => {
  it('begin with those that are given, as in a new cluster, and nobody walks there', () => {
    for (const goal of ['as-it-is', 'enforced'] as const) {
      const kept = keptTls({ ...asItIs, goal }, given, FRESH);
      expect(kept?.tls).toMatchObject({ goal: 'enforced', isNew: true, given });
      expect(kept?.certificates).toEqual({ ...given, isNew: true });
    }
  });

  it('have none where none are given, or the inputs leave RPC to somebody else', () => {
    expect(keptTls(asItIs, undefined, FRESH)).toBeUndefined();
    for (const goal of ['own', 'off'] as const)
      expect(keptTls({ ...asItIs, goal }, given, FRESH)).toBeUndefined();
  });

  it.each([
    ['none are given', undefined],
    ['others are given by now', { ...given, authorities: another.certificate }],
  ])('begin with those of the servers that a run before has moved, where %s', (_, now) => {
    const files = tlsFiles({ from });
    const settled = tlsGoal({ files, given: now, authority: undefined });
    const kept = keptTls(settled, now, BEGUN);
    // Not new: its Secrets stay as they are, and what was given is for all agents together, afterwards.
    expect(kept?.tls).toEqual(settled);
    expect(kept?.certificates).toMatchObject({ isNew: false, authorities: files.authorities });
  });

  it('get what is given where the Secrets were written by half', () => {
    const torn = tlsGoal({ files: tlsFiles(), isTorn: true, given });
    expect(keptTls(torn, given, BEGUN)?.tls.isNew).toBe(true);
    expect(keptTls({ ...torn, given: undefined }, undefined, BEGUN)).toBeUndefined();
  });

  it('do not begin with what an earlier deployment has left under the names of the Secrets', () => {
    const left = tlsGoal({ files: tlsFiles({ from }), given });
    expect(keptTls(left, given, FRESH)?.certificates.isNew).toBe(true);
  });

  it('are told of in a plan by the Secrets of the user', () => {
    const kept = keptTls(asItIs, given, FRESH);
    expect(kept && describeKeptTls(kept)).toMatch(/Secret\/for-servers and Secret\/for-clients/);
  });
});

describe('against an API', () => {
  const inputs = { tlsSecret: 'for-servers', tlsClientSecret: 'for-clients' };

  async function world(client = given.client) {
    const fake = await startFakeApi();
    for (const [name, pair] of [
      ['for-servers', given.server],
      ['for-clients', client],
    ] as const) {
      const secret = authoritySecret(config(), pair);
      const ca = { 'ca.crt': Buffer.from(authority.certificate).toString('base64') };
      fake.put({
        ...secret,
        metadata: { name, namespace: 'consul' },
        data: { ...(secret.data as object), ...ca },
      });
    }
    return { ...fake, run: startRun(inputs).run };
  }

  const all = FRESH as Takeover[];

  it('the Secrets of the user are read, and become those of the roles, which enforce', async () => {
    const { run, cluster, objects } = await world();
    const kept = await readKeptTls(run, cluster, asItIs, all);
    const files = kept && (await beginWithTls(run, cluster, kept.tls, false));
    expect(files).toMatchObject({ state: 'enforced', goal: 'enforced', from, server: given.server });
    const made = objects.get('/api/v1/namespaces/consul/secrets/consul-server-tls');
    expect(made?.metadata.annotations).toMatchObject({ 'consul-deploy/tls-state': 'enforced' });
    expect(objects.has('/api/v1/namespaces/consul/secrets/consul-ca')).toBe(false);
  });

  it('certificates that cannot be used are refused', async () => {
    const { run, cluster } = await world(given.server);
    await expect(readKeptTls(run, cluster, asItIs, all)).rejects.toMatchObject({
      reason: 'certificate',
      what: expect.stringContaining('could pose as a server'),
    });
  });

  it('nothing is read where nothing is taken over', async () => {
    const { run, cluster, server } = await world();
    const before = server.calls.length;
    expect(await readKeptTls(run, cluster, asItIs, [])).toBeUndefined();
    expect(server.calls.length).toBe(before);
  });
});

describe('a plan to take over agents lists what they have yet to go through', () => {
  const listed = (found: Partial<Parameters<typeof keptEncryption>[1]>) => {
    const none = { encrypted: false, verified: false, kept: undefined };
    const { gossip, tls } = keptEncryption({ gossip: GOSSIP, tls: asked }, { ...none, ...found });
    return encryptionToCome({ config: config() }, gossip, tls);
  };
  const way = (what: 'gossip' | 'rpc', to: string) => ({ is: 'way', what, from: 'off', to });
  const kept = keptTls(asked, given, FRESH);

  it('from plaintext, all of it', () => {
    expect(listed({ kept })).toEqual([way('gossip', 'strict'), way('rpc', 'enforced')]);
  });

  it('none of TLS where they verify certificates already', () => {
    expect(listed({ verified: true, kept })).toEqual([way('gossip', 'strict')]);
  });

  it('only the key, which goes into the Secret, where their gossip is encrypted already', () => {
    expect(listed({ encrypted: true })).toEqual([{ is: 'key-into-secret' }, way('rpc', 'enforced')]);
  });
});
