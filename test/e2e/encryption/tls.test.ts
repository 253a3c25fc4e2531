import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type KeyPair, LEAF_DAYS, newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { bed } from '../bed/bed.ts';
import { expectNoFailedWrite, leadership } from '../change/observed.ts';
import { consul } from '../consul/consul.ts';
import {
  containers,
  kubectl,
  kubectlApply,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { check, killedAt } from '../run/action.ts';
import { KeptRuns } from '../run/kept-runs.ts';
import { address, expectRed, expectUnnoticed, LIVING } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';
import { closesAtPlaintext, shown } from './rpc-port.ts';

const DAY_MS = 86_400_000;
const SERVERS = 3;
const SECRETS = ['consul-ca', 'consul-server-tls', 'consul-client-tls'];
const USER_SECRETS = { 'tls-secret': 'for-servers', 'tls-client-secret': 'for-clients' };

describe.skipIf(!bed)('RPC of a cluster that runs', () => {
  const namespace = namespaceName('tls');
  const given = { ...LIVING, namespace };
  /** A line from the middle of each key. */
  const kept = new KeptRuns(given, async () =>
    (await keysOf(namespace)).flatMap((key) => key.split('\n')[1] ?? []),
  );
  const run = (inputs?: Record<string, string>) => kept.run(inputs);
  const green = (inputs?: Record<string, string>) => kept.green(inputs);
  const verify = (inputs?: Record<string, string>) => kept.verify(inputs);

  beforeAll(async () => {
    const outcome = await green({ tls: 'false' });
    expect(check(outcome, 'tls').observed).toBe(
      `plaintext at ${SERVERS} of ${SERVERS} servers (on the wire)`,
    );
  });
  afterAll(() => removeNamespace(namespace));
  /** Whatever a test did, no key is in anything that a run has left. */
  afterEach(() => kept.expectNoSecret());

  it('consul-helm#474: is taken to TLS, clients’ streams with it: what an application writes could be read on the network, and cannot any more', async () => {
    expect(await isWritingSeen(namespace)).toBe(true);
    const before = await containers(namespace);
    const client = await address(namespace, 'consul-client-0');
    const body = JSON.stringify({ Name: 'held', Check: { TTL: '10m', Status: 'passing' } });
    await fetch(`http://${client}:8500/v1/agent/service/register`, { method: 'PUT', body });
    const { value, traffic } = await underTraffic({ namespace, prefix: 'enforce' }, () =>
      run({ tls: 'true' }),
    );
    expect(value.code, value.log).toBe(0);
    expect(check(value, 'tls').observed).toMatch(
      /^TLS, enforced at 3 of 3 servers \(on the wire\), valid until/,
    );
    expect(await containers(namespace)).toEqual(before);
    await expectUnnoticed(traffic);
    const [held] = await consul<{ ServiceName: string }[]>(client, '/v1/catalog/service/held');
    expect(held?.ServiceName).toBe('held');

    expect(await isWritingSeen(namespace)).toBe(false);
    for (const { status } of await pods(namespace, 'server')) {
      expect(await closesAtPlaintext(status.podIP ?? '')).toBe(true);
      expect((await shown(status.podIP ?? '')).checkHost('server.dc1.consul')).toBeDefined();
    }
    // For their streams clients use TLS only with servers that have told that they do it.
    for (const { status } of await pods(namespace, 'client')) {
      const found = await consul<unknown[]>(status.podIP ?? '', '/v1/health/service/consul?cached');
      expect(found).toHaveLength(SERVERS);
    }
  });

  it('consul-k8s#821, consul-helm#692: the authority is changed without a restart, and no write fails', async () => {
    const before = await containers(namespace);
    const old = await issuer(namespace);
    const { term } = await leadership(namespace);
    const { value, traffic } = await underTraffic({ namespace, prefix: 'rotate' }, () =>
      run({ rotate: 'ca' }),
    );
    expect(value.code, value.log).toBe(0);
    expect(await containers(namespace)).toEqual(before);
    await expectUnnoticed(traffic);
    await expectNoFailedWrite(namespace, term, traffic);
    expect(await issuer(namespace)).not.toBe(old);
    expect(await trusted(namespace)).toEqual([await issuer(namespace)]);
    await kubectl('-n', namespace, 'delete', 'pod', 'consul-client-1', '--wait=false');
    await green();
  });

  it('a change of the authority that is killed is finished by the next run, which nobody has to tell', async () => {
    const old = await issuer(namespace);
    const killed = await killedAt(
      { ...given, rotate: 'ca' },
      'the new certificates are trusted by every agent',
    );
    expect(killed.code).not.toBe(0);
    expect(await trusted(namespace)).toHaveLength(2);
    await green();
    expect(await issuer(namespace)).not.toBe(old);
    expect(await trusted(namespace)).toEqual([await issuer(namespace)]);
  });

  it('certificates of the user that do not fit are refused before anything is written, all at once', async () => {
    const own = await newAuthority('ours');
    const client = await newLeaf(own, { dns: ['client.dc1.consul'], ips: [] });
    const other = await newAuthority('another');
    await putPair(namespace, 'for-servers', { ...client, key: other.key }, own.certificate);
    await putPair(namespace, 'for-clients', client, own.certificate);
    const before = await issuer(namespace);
    const outcome = await run(USER_SECRETS);
    expectRed(outcome, 'certificate');
    expect(outcome.report?.failure?.what).toMatch(
      /Secret\/for-servers: the private key is not that of the certificate; Secret\/for-servers: .*server\.dc1\.consul/,
    );
    expect(await issuer(namespace)).toBe(before);
  });

  it('so are those that have expired, are not valid yet, or are of another authority', async () => {
    const own = await newAuthority('ours', Date.now() - 2 * LEAF_DAYS * DAY_MS);
    const other = await newAuthority('another');
    const names = {
      server: { dns: ['server.dc1.consul'], ips: [] },
      client: { dns: ['client.dc1.consul'], ips: [] },
    };
    const now = Date.now();
    const before = await issuer(namespace);
    for (const [server, client, said] of [
      [
        await newLeaf(own, names.server, now - (LEAF_DAYS + 1) * DAY_MS),
        await newLeaf(own, names.client, now + DAY_MS),
        /Secret\/for-servers: the certificate has expired at .*Secret\/for-clients: the certificate is not valid before/,
      ],
      [
        await newLeaf(own, names.server),
        await newLeaf(other, names.client),
        /Secret\/for-clients: the certificate is not signed by the authority/,
      ],
    ] as const) {
      await putPair(namespace, 'for-servers', server, own.certificate);
      await putPair(namespace, 'for-clients', client, own.certificate);
      const outcome = await run({ ...USER_SECRETS, mode: 'plan' });
      expectRed(outcome, 'certificate', 'There is no plan');
      expect(outcome.report?.failure?.what).toMatch(said);
    }
    expect(await issuer(namespace)).toBe(before);
  });

  it('consul#10919, consul-helm#731: certificates that end soon are told of in time, and renewed without a restart', async () => {
    const before = await containers(namespace);
    const own = await newAuthority('ours', Date.now() - 100 * DAY_MS);
    const putAged = async (days: number) => {
      const since = Date.now() - days * DAY_MS;
      const server = await newLeaf(own, { dns: ['server.dc1.consul'], ips: [] }, since);
      const client = await newLeaf(own, { dns: ['client.dc1.consul'], ips: [] }, since);
      await putPair(namespace, 'for-servers', server, own.certificate);
      await putPair(namespace, 'for-clients', client, own.certificate);
    };
    await putAged(70);
    const due = await green(USER_SECRETS);
    expect(due.report?.warnings.join()).toContain('is valid until');
    expect(await issuer(namespace)).toBe(new X509Certificate(own.certificate).subject);
    // An hour is left.
    await putAged(LEAF_DAYS - 1 / 24);
    const soon = await verify({ ...USER_SECRETS, renew: 'true' });
    expectRed(soon, 'expiring');
    await putAged(0);
    const renewed = await verify({ ...USER_SECRETS, renew: 'true' });
    expect(renewed.code, renewed.log).toBe(0);
    expect(renewed.report?.warnings.join()).not.toContain('is valid until');
    expect(await containers(namespace)).toEqual(before);
  });

  it('one server that takes plaintext is found and named, and the next deploy sets it right', async () => {
    const lax = JSON.stringify({ tls: { internal_rpc: { verify_incoming: false } } });
    const patch = { data: { 'tls.json': Buffer.from(lax).toString('base64') } };
    await kubectl('-n', namespace, 'patch', 'secret', 'consul-server-tls', '-p', JSON.stringify(patch));
    await kubectl('-n', namespace, 'annotate', 'pod', 'consul-server-1', 'test/files=new', '--overwrite');
    // The whole of it: what was there before says `verify_incoming: false`, too, of HTTPS.
    const script = `until grep -qF '${lax}' /consul/config/26-tls.json; do sleep 0.2; done; curl -sfX PUT localhost:8500/v1/agent/reload`;
    await kubectl('-n', namespace, 'exec', 'consul-server-1', '--', '/bin/sh', '-c', script);
    const red = await verify();
    expectRed(red, 'not-encrypted');
    expect(red.report?.failure?.where).toBe('Pod/consul-server-1');
    await green(USER_SECRETS);
    expect((await verify()).code).toBe(0);
  });

  it('certificates of the user are not replaced by a run that was not given them, unless that is asked for', async () => {
    const theirs = await issuer(namespace);
    await green();
    expect(await issuer(namespace)).toBe(theirs);
    await green({ rotate: 'ca' });
    expect(await issuer(namespace)).not.toBe(theirs);
  });

  it('a Secret that was removed alone is written again, and every agent has what is in it', async () => {
    const before = await containers(namespace);
    await kubectl('-n', namespace, 'delete', 'secret', 'consul-server-tls', 'consul-ca');
    await green();
    expect(await containers(namespace)).toEqual(before);
    expect(await trusted(namespace)).toEqual([await issuer(namespace)]);
    expect((await secrets(namespace)).map(({ metadata }) => metadata.name)).toEqual([...SECRETS].sort());
    expect((await green()).outputs.changed).toBe('false');
  });

  it('Secrets that were removed are told of before anything is written, and the way out is gone', async () => {
    const before = await containers(namespace);
    await kubectl('-n', namespace, 'delete', 'secret', ...SECRETS);
    const refused = await run();
    expectRed(refused, 'certificate');
    expect(refused.report?.failure?.hint).toContain('`tls: false`');
    expect((await verify()).code).toBe(0);
    await green({ tls: 'false' });
    expect(await isWritingSeen(namespace)).toBe(true);
    expect(await containers(namespace)).toEqual(before);
  });
});

interface Secret {
  metadata: { name: string };
  data: Record<string, string>;
}

async function secrets(namespace: string): Promise<Secret[]> {
  const { items } = await kubectlJson<{ items: Secret[] }>('-n', namespace, 'get', 'secrets');
  return items.filter(({ metadata }) => SECRETS.includes(metadata.name));
}

/** The private keys in the Secrets of the deployment. */
async function keysOf(namespace: string): Promise<string[]> {
  return (await secrets(namespace)).map(({ data }) =>
    Buffer.from(data['tls.key'] ?? '', 'base64').toString(),
  );
}

/** Who has signed the certificate that the servers show; all show one of the same. */
async function issuer(namespace: string): Promise<string> {
  const found = await Promise.all(
    (await pods(namespace, 'server')).map(async ({ status }) => (await shown(status.podIP ?? '')).issuer),
  );
  expect(new Set(found).size).toBe(1);
  return found[0] ?? '';
}

/** The authorities that clients are told to trust. */
async function trusted(namespace: string): Promise<string[]> {
  const found = (await secrets(namespace)).find(({ metadata }) => metadata.name === 'consul-client-tls');
  const pem = Buffer.from(found?.data['ca.crt'] ?? '', 'base64').toString();
  const each = pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  return each.map((one) => new X509Certificate(one).subject);
}

async function putPair(namespace: string, name: string, pair: KeyPair, authority: string): Promise<void> {
  const stringData = { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': authority };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
  await kubectlApply(JSON.stringify(secret));
}

/** Whether a value that is written again and again through a client is seen on the network between the agents. */
async function isWritingSeen(namespace: string): Promise<boolean> {
  const client = await address(namespace, 'consul-client-0');
  const text = `seen-${process.pid}-${Date.now()}`;
  const over = new AbortController();
  const writing = (async () => {
    while (!over.signal.aborted)
      await fetch(`http://${client}:8500/v1/kv/${text}`, { method: 'PUT', body: text.repeat(5) }).catch(
        () => 0,
      );
  })();
  try {
    const ips = (await pods(namespace)).map(({ status }) => `host ${status.podIP}`);
    const bytes = await bed?.capture(`port 8300 and (${ips.join(' or ')})`, 3_000);
    if (!bytes || bytes.length < 1_000) throw new Error(`too little RPC: ${bytes?.length} bytes`);
    return bytes.includes(text);
  } finally {
    over.abort();
    await writing;
  }
}
