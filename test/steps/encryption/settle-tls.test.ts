import { describe, expect, test } from 'vitest';
import { newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import type { Config } from '../../../src/config/config.ts';
import type { TlsRecord } from '../../../src/inventory/inventory.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { authoritySecret, type TlsFiles, tlsSecret } from '../../../src/manifests/tls.ts';
import { clientLeafNames, serverLeafNames } from '../../../src/steps/encryption/leaf-names.ts';
import {
  recordedTls,
  settleTls,
  type TlsGoal,
  tellTlsPlan,
  wantedTls,
} from '../../../src/steps/encryption/settle-tls.ts';
import { runRecord } from '../../inventory/fixture.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { type Instead, startFakeApi } from '../../session/fake-api.ts';
import { config, startRun } from '../../session/fixture.ts';

const authority = await newAuthority('consul');
const server = await newLeaf(authority, serverLeafNames(config()));
const client = await newLeaf(authority, clientLeafNames(config()));
const SERVERS = render(config()).find(({ kind }) => kind === 'StatefulSet') as KubernetesObject;

function secrets(change: Partial<TlsFiles> = {}): KubernetesObject[] {
  const base = { state: 'outgoing', goal: 'enforced', revision: 2 } as const;
  const files = { ...base, authorities: authority.certificate, server, client, ...change };
  return [tlsSecret(config(), 'server', files), tlsSecret(config(), 'client', files)];
}

async function settle(
  change: Partial<Config>,
  objects: readonly KubernetesObject[],
  { last, instead }: { last?: TlsRecord['state']; instead?: Instead } = {},
) {
  const { cluster, put } = await startFakeApi(instead);
  put(...objects);
  const { run } = startRun(change);
  const history = last ? [{ ...runRecord(), tls: { state: last } }, runRecord()] : [];
  return settleTls(run, cluster, { inventory: { history } });
}

describe('what RPC is to be', () => {
  test.each([
    ['a new cluster', 'auto', [], 'enforced'],
    ['a new cluster, without', 'false', [], 'off'],
    ['a new cluster that finds its certificates again', 'auto', secrets({ goal: 'off' }), 'enforced'],
    ['one that runs', 'auto', [SERVERS], 'as-it-is'],
    ['one that runs, and is to speak TLS', 'true', [SERVERS], 'enforced'],
    ['one that is on its way there', 'auto', [SERVERS, ...secrets()], 'enforced'],
    ['one that is on its way back', 'auto', [SERVERS, ...secrets({ goal: 'off' })], 'off'],
    ['one that turns back', 'false', [SERVERS, ...secrets()], 'off'],
  ] as const)('%s (%s)', async (_, tls, objects, goal) => {
    const found = await settle({ tls }, objects);
    expect(found.goal).toBe(goal);
    expect(found.isNew).toBe(!(objects as readonly KubernetesObject[]).includes(SERVERS));
  });

  test('stays TLS where it was seen so, also when somebody has removed its Secrets', async () => {
    expect((await settle({ mode: 'verify' }, [SERVERS], { last: 'enforced' })).goal).toBe('enforced');
    expect((await settle({}, [SERVERS], { last: 'plaintext' })).goal).toBe('as-it-is');
  });

  test.each(['deploy', 'plan'] as const)('%s is refused where these are gone', async (mode) => {
    const last = { last: 'enforced' } as const;
    await expect(settle({ mode }, [SERVERS], last)).rejects.toMatchObject({
      reason: 'certificate',
      where: 'Secret/consul-server-tls in namespace consul',
      hint: expect.stringContaining('`tls: false`'),
    });
    expect((await settle({ mode, tls: 'false' }, [SERVERS], last)).goal).toBe('off');
    expect((await settle({ mode }, [SERVERS, ...secrets()], last)).goal).toBe('enforced');
    expect((await settle({ mode }, [], last)).isNew).toBe(true);
  });

  const FRAGMENT = { format: 'json', text: '{"tls":{"defaults":{"ca_file":"x"}}}' } as const;

  test('what the user configures is used as it is', async () => {
    const found = await settle({ serverConfig: FRAGMENT }, [SERVERS]);
    expect(found).toMatchObject({ goal: 'own', access: [] });
    expect(wantedTls({ config: config() }, found)).toBe('alike');
    await expect(settle({ clientConfig: FRAGMENT, rotate: ['ca'] }, [])).rejects.toMatchObject({
      reason: 'certificate',
    });
  });

  test('is proven as it was asked for, whoever is to do it', () => {
    for (const goal of ['own', 'enforced', 'as-it-is'] as const)
      expect(wantedTls({ config: config({ tls: 'true' }) }, { goal })).toBe('enforced');
  });

  test.each([
    ['true', [SERVERS, ...secrets({ state: 'enforced' })]],
    ['auto', [SERVERS, ...secrets()]],
    ['auto', secrets()],
  ] as const)('is not left to the user where our Secrets would win over it (%s)', async (tls, objects) => {
    await expect(settle({ clientConfig: FRAGMENT, tls }, objects)).rejects.toMatchObject({
      reason: 'certificate',
      where: 'Secret/consul-client-tls, Secret/consul-server-tls in namespace consul',
      hint: expect.stringMatching(/`tls: false`.*remove these Secrets/),
    });
  });

  test('is left to the user whose own Secret has the name of ours, or who lets nobody read Secrets', async () => {
    const metadata = { name: 'consul-server-tls', namespace: 'consul' };
    const theirs = { apiVersion: 'v1', kind: 'Secret', metadata, data: { 'tls.crt': 'eA==' } };
    expect((await settle({ serverConfig: FRAGMENT }, [SERVERS, theirs])).goal).toBe('own');
    const instead: Instead = ({ path }, response) => {
      if (!path.includes('/secrets/')) return undefined;
      status(response, 403, { reason: 'Forbidden' });
      return true;
    };
    expect((await settle({ serverConfig: FRAGMENT }, [SERVERS, ...secrets()], { instead })).goal).toBe('own');
  });

  test('is not told by a word in a tag', async () => {
    const text = '{"service":{"name":"web","tags":["traefik.http.routers.web.tls=true"]}}';
    expect((await settle({ serverConfig: { format: 'json', text } }, [])).goal).toBe('enforced');
  });

  test('a new cluster that joins another datacenter is not cut off from it', async () => {
    const fragment = { format: 'json', text: '{"retry_join_wan":["10.9.9.9"]}' } as const;
    expect((await settle({ serverConfig: fragment }, [])).goal).toBe('as-it-is');
    expect((await settle({ serverConfig: fragment, tls: 'true' }, [])).goal).toBe('enforced');
  });

  test.each([
    ['a new cluster', {}, []],
    ['a cluster with TLS', {}, [SERVERS, ...secrets({ state: 'enforced' })]],
  ] as const)('%s may have HTTPS', async (_, change, objects) => {
    expect((await settle({ ...change, https: 'only' }, objects)).goal).toBe('enforced');
  });

  test.each([
    ['in plaintext', {}, [SERVERS]],
    ['that is to be taken to TLS by the same deploy', { tls: 'true' }, [SERVERS]],
    ['on its way to TLS', {}, [SERVERS, ...secrets()]],
  ] as const)('a cluster %s may not have HTTPS yet', async (_, change, objects) => {
    await expect(settle({ ...change, https: 'also' }, objects)).rejects.toMatchObject({
      reason: 'certificate',
      hint: expect.stringContaining('`tls: true`'),
    });
  });

  test('Secrets of which one is older, or gone, are seen as torn; the newer counts', async () => {
    const [ofServers] = secrets({ revision: 5, state: 'enforced' });
    const [, ofClients] = secrets();
    const found = await settle({}, [SERVERS, ofServers, ofClients] as KubernetesObject[]);
    expect(found).toMatchObject({ isTorn: true, files: { revision: 5, state: 'enforced' } });
    const half = await settle({}, [SERVERS, ofServers] as KubernetesObject[]);
    expect(half).toMatchObject({ isTorn: true, files: { client: { certificate: '' } } });
    expect((await settle({}, [SERVERS, ...secrets()])).isTorn).toBe(false);
  });

  test.each([
    ['a Secret of somebody else', { metadata: { name: 'consul-server-tls', namespace: 'consul' } }],
    ['an authority of somebody else', { metadata: { name: 'consul-ca', namespace: 'consul' } }],
  ])('%s is not written over', async (_, rest) => {
    const secret = { apiVersion: 'v1', kind: 'Secret', data: { 'tls.crt': 'eA==' }, ...rest };
    await expect(settle({}, [secret])).rejects.toMatchObject({
      reason: 'certificate',
      where: `Secret/${rest.metadata.name} in namespace consul`,
    });
  });

  test('Secrets that may not be read are told of later, with all else that is missing', async () => {
    const instead: Instead = ({ path }, response) => {
      if (!path.includes('/secrets/')) return undefined;
      status(response, 403, { reason: 'Forbidden' });
      return true;
    };
    const { denied, access } = await settle({}, [SERVERS], { instead });
    expect(denied).toMatchObject({ reason: 'forbidden' });
    expect(access.map(({ name, verb }) => `${verb} ${name}`)).toContain('get consul-server-tls');
  });
});

describe('certificates of the user', () => {
  const GIVEN = { tlsSecret: 'for-servers', tlsClientSecret: 'for-clients' };
  const secret = (name: string, pair: { certificate: string; key: string }, ca = authority.certificate) => {
    const data = { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': ca };
    const inBase64 = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const metadata = { name, namespace: 'consul' };
    return { apiVersion: 'v1', kind: 'Secret', metadata, data: Object.fromEntries(inBase64) };
  };

  test('are taken', async () => {
    const found = await settle(GIVEN, [secret('for-servers', server), secret('for-clients', client)]);
    const from = { server: 'for-servers', client: 'for-clients' };
    expect(found.given).toEqual({ authorities: authority.certificate, server, client, from });
  });

  test('are refused before anything is written, with all that speaks against them', async () => {
    const swapped = [secret('for-servers', client), secret('for-clients', server)];
    await expect(settle(GIVEN, swapped)).rejects.toMatchObject({
      reason: 'certificate',
      what: expect.stringMatching(
        /Secret\/for-servers: the certificate does not carry the name server\.dc1\.consul; Secret\/for-clients: .*client\.dc1\.consul; Secret\/for-clients: .*could pose as a server/,
      ),
    });
    await expect(settle(GIVEN, [])).rejects.toMatchObject({
      what: expect.stringContaining('Secret/for-clients: there is no such Secret'),
    });
  });
});

test('the Secret of the authority is read as it was written', async () => {
  const found = await settle({}, [authoritySecret(config(), authority), ...secrets()]);
  expect(found.authority).toEqual(authority);
});

describe('what a verification is to see', () => {
  const history = (state: TlsRecord['state'] | undefined) => ({
    history: state ? [{ ...runRecord(), tls: { state } }] : [runRecord()],
  });
  test.each([
    ['auto', 'enforced', 'enforced'],
    ['auto', 'plaintext', 'plaintext'],
    ['auto', 'offered', 'alike'],
    ['auto', undefined, 'alike'],
    ['true', 'plaintext', 'enforced'],
    ['false', 'enforced', 'plaintext'],
  ] as const)('asked for %s, last seen %s: %s', (tls, last, wanted) => {
    expect(recordedTls({ config: config({ tls }) }, history(last))).toBe(wanted);
  });
});

describe('a plan', () => {
  const told = (tls: Partial<TlsGoal>, gossip: Partial<Parameters<typeof tellTlsPlan>[2]> = {}) => {
    const { run } = startRun();
    const none = { files: undefined, isNew: false } as const;
    const rest = { ...none, isTorn: false, authority: undefined, given: undefined, access: [] } as const;
    tellTlsPlan(run, { goal: 'enforced', ...rest, ...tls }, { goal: 'as-it-is', ...none, ...gossip });
    return run.result().checks.find(({ id }) => id === 'tls-plan')?.observed;
  };
  const files = (state: TlsFiles['state']) => ({ state }) as TlsFiles;

  test.each([
    [{}, {}, /^off → present → outgoing → enforced: every server restarts twice, every client reloads/],
    [{}, { goal: 'strict' }, /: with the restarts for gossip, and no others$/],
    [
      { files: files('present') },
      { goal: 'strict' },
      /^present → outgoing → enforced: every server restarts/,
    ],
    [{ files: files('enforced') }, { goal: 'strict' }, /^stays with TLS$/],
    [{ isNew: true }, { goal: 'strict', isNew: true }, /^TLS from the start$/],
    [{ goal: 'off', files: files('enforced') }, {}, /^back to plaintext: every server restarts once/],
    [{ goal: 'off', seen: 'plaintext' }, {}, /^plaintext$/],
    [{ goal: 'off', seen: 'enforced' }, {}, /^back to plaintext at once, without the Secrets/],
    [{}, { goal: 'strict', seen: 'strict' }, /: every server restarts twice, every client reloads/],
  ] as const)('of %j beside %j tells what will restart', (tls, gossip, observed) => {
    expect(told(tls, gossip)).toMatch(observed);
  });
});
