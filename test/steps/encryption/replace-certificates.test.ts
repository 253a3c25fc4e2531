import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newAuthority } from '../../../src/certificates/authority.ts';
import type { Config } from '../../../src/config/config.ts';
import { type TlsFiles, tlsFilesOf } from '../../../src/manifests/tls.ts';
import { addNames, replaceCertificates } from '../../../src/steps/encryption/replace-certificates.ts';
import type { TlsGoal } from '../../../src/steps/encryption/settle-tls.ts';
import { readTlsSecrets } from '../../../src/steps/encryption/tls-secrets.ts';
import { hurried } from '../hurried.ts';
import { EncryptionWorld } from './encryption-world.ts';
import { signers, subject } from './signers.ts';
import { authority, pairs, tlsFiles, tlsGoal, tlsSecrets } from './tls-files.ts';

const other = await newAuthority('consul');
const both = [authority, other].map(({ certificate }) => certificate).join('');
const ofOther = await pairs(other);
const ROTATE: Partial<Config> = { rotate: ['ca'] };

/** All agents have read these files when they started. */
async function cluster(files: TlsFiles, change: Partial<Config> = {}) {
  const made = await EncryptionWorld.start(change, { secrets: tlsSecrets(files) });
  const go = (to: Partial<TlsGoal> = {}) =>
    replaceCertificates(made.run, tlsGoal({ files, ...to }), files, made.tools);
  return { made, go };
}

describe('certificates', () => {
  test('that are due are renewed by one reload of each agent, by the same authority', async () => {
    const { made, go } = await cluster(tlsFiles(await pairs(authority, 70)));
    await go();
    expect(signers(made)).toEqual({ signed: subject(authority), trusted: subject(authority) });
    // The second time it is written that all have read it.
    const writes = ['write consul-client-tls', 'write consul-server-tls'];
    expect(made.happened('write')).toEqual([...writes, ...writes]);
    expect(made.agents.map(({ reloads }) => reloads)).toEqual([1, 1, 1, 1, 1]);
    const secret = tlsFilesOf(made.secret('consul-server-tls') ?? expect.fail());
    const days =
      (new X509Certificate(secret?.pair.certificate ?? '').validToDate.getTime() - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
  });

  test('that are not due stay', async () => {
    const { made, go } = await cluster(tlsFiles(await pairs(authority, 50)));
    await go();
    expect(made.events).toEqual([]);
  });

  test.each([
    ['it is not TLS', tlsFiles({ state: 'outgoing' }), {}],
    ['nobody has asked for TLS', tlsFiles(), { goal: 'as-it-is' as const }],
    ['the cluster has just begun', tlsFiles(), { isNew: true }],
  ])('are left alone where %s', async (_, files, to) => {
    const { made, go } = await cluster(files, ROTATE);
    await go(to);
    expect(made.events).toEqual([]);
  });

  test('are written again where one of the Secrets is older', async () => {
    const { made, go } = await cluster(tlsFiles());
    await go({ isTorn: true });
    expect(made.agents.map(({ reloads }) => reloads)).toEqual([1, 1, 1, 1, 1]);
    expect(signers(made).signed).toBe(subject(authority));
  });

  test('are not replaced while an agent is away', async () => {
    const { made, go } = await cluster(tlsFiles(await pairs(authority, 70)));
    made.world.tell({ ...made.agent('consul-client-0').pod, ready: false });
    hurried(200);
    await expect(go()).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringContaining('consul-client-0'),
    });
    expect(made.happened('write')).toEqual([]);
  });

  test('are not replaced without the permission to write them', async () => {
    const { made, go } = await cluster(tlsFiles(), ROTATE);
    made.denied = ['patch secrets'];
    await expect(go()).rejects.toMatchObject({ reason: 'forbidden' });
    expect(made.happened('write')).toEqual([]);
  });

  test('that an agent refuses end the run, which says by whom', async () => {
    const { made, go } = await cluster(tlsFiles(await pairs(authority, 70)));
    made.before = (pod, { path }) =>
      pod === 'consul-server-1' && path === '/v1/agent/reload'
        ? { status: 500, text: 'tls: private key does not match public key' }
        : undefined;
    await expect(go()).rejects.toMatchObject({
      reason: 'certificate',
      what: 'the agent refuses its certificates: tls: private key does not match public key',
      where: 'Pod/consul-server-1',
    });
  });

  test('that a server does not show end the run', async () => {
    const { made, go } = await cluster(tlsFiles(await pairs(authority, 70)));
    made.before = (pod, { path }) =>
      pod === 'consul-server-1' && path === '/v1/agent/reload' ? { text: '' } : undefined;
    hurried(100);
    await expect(go()).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringContaining('is not "with its new certificate"'),
      where: 'Pod/consul-server-1',
    });
  });

  test('are read when every agent of a role has them, and a kubelet that is late is asked again', async () => {
    const { made, go } = await cluster(tlsFiles(await pairs(authority, 70)));
    made.late.add('consul-server-1');
    await go();
    const events = made.happened('files', 'reload').filter((event) => event.includes('server'));
    expect(events.filter((event) => /^files consul-server-\d 6$/.test(event))).toHaveLength(3);
    expect(events.findLastIndex((event) => event.startsWith('files'))).toBeLessThan(
      events.findIndex((event) => event.startsWith('reload')),
    );
    const asked = made.api.server.calls.filter(
      ({ method, path }) => method === 'PATCH' && path.endsWith('/pods/consul-server-1'),
    );
    expect(asked).toHaveLength(2);
    expect(signers(made).signed).toBe(subject(authority));
  });
});

/** What the next run finds, where the one before has ended at this agent. */
async function endedAt(name: string, change: Partial<Config>, files: TlsFiles, to: Partial<TlsGoal> = {}) {
  const { made, go } = await cluster(files, change);
  made.before = (pod, { path }) =>
    pod === name && path === '/v1/agent/reload' ? { status: 500, text: 'no' } : undefined;
  await expect(go(to)).rejects.toMatchObject({ where: `Pod/${name}` });
  made.before = () => undefined;
  return { made, ...(await readTlsSecrets(made.run, made.api.cluster)) };
}

describe('a renewal that has ended at one agent', () => {
  const isRead = ({ tls, files }: EncryptionWorld['agents'][number]) =>
    tls.certificate === files.tls['tls.crt'];

  test.each(['consul-server-1', 'consul-client-0'])('%s is finished by the next run', async (name) => {
    const { made, files, ...rest } = await endedAt(name, {}, tlsFiles(await pairs(authority, 70)));
    expect(isRead(made.agent(name))).toBe(false);
    const before = made.agent(name).reloads;
    await replaceCertificates(made.run, tlsGoal({ files, ...rest }), files, made.tools);
    expect(made.agents.every(isRead)).toBe(true);
    expect(made.agent(name).reloads).toBe(before + 1);
    expect(signers(made).trusted).toBe(subject(authority));
    const now = await readTlsSecrets(made.run, made.api.cluster);
    expect(now.files?.rotation).toBeUndefined();
    made.events.length = 0;
    await replaceCertificates(made.run, tlsGoal(now), now.files, made.tools);
    expect(made.events).toEqual([]);
  });

  test('is finished where the user has renewed the certificates', async () => {
    const given = { authorities: authority.certificate, ...(await pairs()) };
    const { made, files } = await endedAt('consul-client-1', {}, tlsFiles(), { given });
    await replaceCertificates(made.run, tlsGoal({ files, given }), files, made.tools);
    expect(made.agents.every(isRead)).toBe(true);
    expect(made.agent('consul-client-1').tls.certificate).toBe(given.client.certificate);
  });

  test('gives way to another authority, where one is asked for', async () => {
    const { made, go } = await cluster(tlsFiles({ rotation: 'leaves' }), ROTATE);
    await go();
    expect(signers(made).signed).not.toBe(subject(authority));
  });

  test('is finished before agents restart with another domain', async () => {
    const made = await EncryptionWorld.start({ domain: 'corp' }, { secrets: tlsSecrets(tlsFiles()) });
    made.before = (pod, { path }) =>
      pod === 'consul-server-1' && path === '/v1/agent/reload' ? { status: 500, text: 'no' } : undefined;
    await expect(addNames(made.run, tlsGoal({ files: tlsFiles() }), made.tools)).rejects.toMatchObject({
      where: 'Pod/consul-server-1',
    });
    made.before = () => undefined;
    const found = await readTlsSecrets(made.run, made.api.cluster);
    await addNames(made.run, tlsGoal(found), made.tools);
    for (const { isServer, tls } of made.agents) {
      if (isServer) expect(new X509Certificate(tls.certificate).checkHost('server.dc1.corp')).toBeDefined();
    }
  });
});

describe('the authority', () => {
  test('is changed by reloads alone: all trust both before the first shows a certificate of the new one', async () => {
    const { made, go } = await cluster(tlsFiles(), ROTATE);
    await go();
    const { signed, trusted } = signers(made);
    expect(signed).not.toBe(subject(authority));
    expect(trusted).toBe(signed);
    expect(made.happened('write')[0]).toBe('write consul-ca');
    expect(made.happened('write')).toHaveLength(9);
    expect(made.agents.map(({ reloads }) => reloads)).toEqual([3, 3, 3, 3, 3]);
    expect(tlsFilesOf(made.secret('consul-client-tls') ?? expect.fail())?.rotation).toBeUndefined();
  });

  test.each([
    ['all trust both', { authorities: both, rotation: 'trust' }, {}],
    ['all have certificates of the new one', { authorities: both, rotation: 'leaves', ...ofOther }, {}],
    ['it was made, and nobody trusts it', {}, {}],
    ['it was made, and another one is asked for', {}, ROTATE],
  ] as const)('is the one of a run that was ended, where %s', async (_, change, inputs) => {
    const { made, go } = await cluster(tlsFiles(change), inputs);
    await go({ authority: other });
    expect(signers(made)).toEqual({ signed: subject(other), trusted: subject(other) });
    expect(made.happened('write')).not.toContain('write consul-ca');
    expect(tlsFilesOf(made.secret('consul-server-tls') ?? expect.fail())?.rotation).toBeUndefined();
  });

  test('is not changed where an agent outside of Kubernetes would not trust the new one', async () => {
    const { made, go } = await cluster(tlsFiles(), ROTATE);
    made.world.outside = { 'vm-1': '192.0.2.1' };
    hurried();
    await expect(go()).rejects.toMatchObject({ reason: 'unfit-cluster', details: ['vm-1 (192.0.2.1)'] });
    expect(made.happened('write')).toEqual([]);
  });

  test('stays where certificates are renewed, whoever is outside', async () => {
    const { made, go } = await cluster(tlsFiles(await pairs(authority, 70)));
    made.world.outside = { 'vm-1': '192.0.2.1' };
    await go();
    expect(signers(made).signed).toBe(subject(authority));
  });

  test('that has not long to live is replaced with the certificates that are due', async () => {
    const old = await newAuthority('consul', Date.now() - 3_000 * 86_400_000);
    const files = tlsFiles({ authorities: old.certificate, ...(await pairs(old, 70)) });
    const { made, go } = await cluster(files);
    await go({ authority: old });
    const { signed, trusted } = signers(made);
    expect(signed).not.toBe(subject(old));
    expect(trusted).toBe(signed);
  });
});

describe('certificates of the user', () => {
  test('that the agents have are not touched, whatever time they have left', async () => {
    const given = { authorities: authority.certificate, ...(await pairs(authority, 80)) };
    const { made, go } = await cluster(tlsFiles(given));
    await go({ given });
    expect(made.events).toEqual([]);
  });

  test('that were renewed are given to the agents', async () => {
    const { made, go } = await cluster(tlsFiles());
    const given = { authorities: authority.certificate, ...(await pairs()) };
    await go({ given });
    expect(signers(made).trusted).toBe(subject(authority));
    expect(made.agents[0]?.tls.certificate).toBe(given.server.certificate);
    expect(made.agents.map(({ reloads }) => reloads)).toEqual([1, 1, 1, 1, 1]);
  });

  describe('that a later run is not given', () => {
    const FROM = { server: 'for-servers', client: 'for-clients' };
    /** The agents have certificates of the user, made so many days ago. */
    const theirs = async (days: number, change: Partial<Config> = {}) => {
      const given = { authorities: authority.certificate, ...(await pairs(authority, days)), from: FROM };
      const { made, go } = await cluster(tlsFiles(), change);
      await go({ given });
      const found = await readTlsSecrets(made.run, made.api.cluster);
      made.events.length = 0;
      const again = (to: Partial<TlsGoal>) =>
        replaceCertificates(made.run, tlsGoal({ ...found, ...to }), found.files, made.tools);
      return { made, found, again };
    };

    test.each([undefined, other])(
      'are not replaced by ours where they are due, and that is told',
      async (ca) => {
        const { made, again } = await theirs(70);
        await again({ authority: ca });
        expect(made.events).toEqual([]);
        const { warnings } = made.run.known;
        expect(warnings).toEqual([
          expect.stringMatching(/Secret\/for-servers and Secret\/for-clients.*`tls-secret`/),
        ]);
      },
    );

    test('are left alone where they are not due, also beside an authority of before', async () => {
      const { made, again } = await theirs(0);
      await again({ authority: other });
      expect(made.events).toEqual([]);
      expect(made.run.known.warnings).toEqual([]);
    });

    test('give way to ours where that is asked for', async () => {
      const { made, found } = await theirs(0);
      const run = { ...ROTATE };
      const next = await EncryptionWorld.start(run, { secrets: tlsSecrets(found.files ?? expect.fail()) });
      await replaceCertificates(next.run, tlsGoal(found), found.files, next.tools);
      expect(signers(next).signed).not.toBe(subject(authority));
      const now = await readTlsSecrets(next.run, next.api.cluster);
      expect(now.files?.from).toBeUndefined();
      expect(made.broken).toEqual([]);
    });

    test('are on their way to ours, where a run that was asked for it has ended', async () => {
      const { found } = await theirs(0);
      const files = { ...(found.files ?? expect.fail()), authorities: both, rotation: 'trust' } as const;
      const next = await EncryptionWorld.start({}, { secrets: tlsSecrets(files) });
      await replaceCertificates(next.run, tlsGoal({ files, authority: other }), files, next.tools);
      expect(signers(next)).toEqual({ signed: subject(other), trusted: subject(other) });
    });

    test('are not made anew for another domain', async () => {
      const { found } = await theirs(0);
      const next = await EncryptionWorld.start(
        { domain: 'corp' },
        { secrets: tlsSecrets(found.files ?? expect.fail()) },
      );
      await expect(addNames(next.run, tlsGoal(found), next.tools)).rejects.toMatchObject({
        reason: 'certificate',
        what: expect.stringContaining('Secret/for-servers and Secret/for-clients'),
      });
      expect(next.happened('write')).toEqual([]);
    });

    test('are known as theirs also where an earlier version has given them to the agents', async () => {
      const given = { authorities: authority.certificate, ...(await pairs(authority, 80)) };
      const { made, go } = await cluster(tlsFiles(given));
      await go({ given: { ...given, from: FROM } });
      expect(made.agents.map(({ reloads }) => reloads)).toEqual([0, 0, 0, 0, 0]);
      const { files } = await readTlsSecrets(made.run, made.api.cluster);
      expect(files).toMatchObject({ from: FROM, revision: 5 });
    });
  });

  test('by another authority are given to them step by step, and none is made here', async () => {
    const { made, go } = await cluster(tlsFiles());
    await go({ given: { authorities: other.certificate, ...ofOther } });
    expect(signers(made)).toEqual({ signed: subject(other), trusted: subject(other) });
    expect(made.happened('write')).not.toContain('write consul-ca');
    expect(made.agents.map(({ reloads }) => reloads)).toEqual([3, 3, 3, 3, 3]);
  });
});

describe('another domain', () => {
  const add = async (files: TlsFiles, to: Partial<TlsGoal> = {}) => {
    const made = await EncryptionWorld.start({ domain: 'corp' }, { secrets: tlsSecrets(files) });
    return { made, added: addNames(made.run, tlsGoal({ files, ...to }), made.tools) };
  };

  test('is a name that all servers show beside the one of before', async () => {
    const { made, added } = await add(tlsFiles());
    const certificate = new X509Certificate((await added)?.server.certificate ?? '');
    for (const name of ['server.dc1.corp', 'server.dc1.consul'])
      expect(certificate.checkHost(name)).toBeDefined();
    expect(made.agents[0]?.tls.certificate).toContain(certificate.toString().trim());
    expect(signers(made).trusted).toBe(subject(authority));
  });

  test.each([
    ['the authority changes', tlsFiles({ rotation: 'trust' }), {}],
    ['one Secret is older', tlsFiles(), { isTorn: true }],
  ])('is given to all servers, too, where %s', async (_, files, to) => {
    const { made, added } = await add(files, to);
    expect((await added)?.rotation).toBeUndefined();
    const shown = made.agents.filter(({ isServer }) => isServer).map(({ tls }) => tls.certificate);
    for (const one of shown) expect(new X509Certificate(one).checkHost('server.dc1.corp')).toBeDefined();
    expect(made.broken).toEqual([]);
  });

  test('and a change that has begun wait for no agent, where every server shows the name', async () => {
    const files = tlsFiles({ rotation: 'trust' });
    const made = await EncryptionWorld.start({}, { secrets: tlsSecrets(files) });
    expect(await addNames(made.run, tlsGoal({ files }), made.tools)).toBe(files);
    expect(made.events).toEqual([]);
  });

  test('and another authority are not taken at once', async () => {
    const { made, added } = await add(tlsFiles(), { authority: other });
    await expect(added).rejects.toMatchObject({
      reason: 'certificate',
      what: expect.stringContaining('corp'),
    });
    expect(made.events).toEqual([]);
  });

  test.each([
    ['of a cluster that has just begun', tlsFiles(), { isNew: true }],
    ['without TLS', tlsFiles({ state: 'present' }), {}],
  ])('is for others to tell %s', async (_, files, to) => {
    const { made, added } = await add(files, to);
    expect(await added).toBe(files);
    expect(made.events).toEqual([]);
  });
});
