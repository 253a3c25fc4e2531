import { randomBytes, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyPair, newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { startOriginal } from '../adoption/original.ts';
import { expectAllKept, expectNewShape, inputs } from '../adoption/takeover.ts';
import { consul } from '../consul/consul.ts';
import { put } from '../consul/registration.ts';
import { closesAtPlaintext, shown } from '../encryption/rpc-port.ts';
import { kubectlApply, namespaceName, pods, removeNamespace, versions } from '../kubernetes/cluster.ts';
import { check, deploy, killedAt } from '../run/action.ts';
import { expectRed } from '../run/scenario.ts';
import { underLoad } from '../traffic/store-load.ts';

/** A run is ended and another one begins: on a loaded machine that takes its time. */
const KILLED_MS = 600_000;

const NAMES = {
  // Its clients were made without `domain`, so they ask for the servers by another one than these.
  server: { dns: ['server.dc1.cluster.local', 'server.dc1.consul', 'localhost'], ips: ['127.0.0.1'] },
  client: { dns: ['client.dc1.cluster.local', 'localhost'], ips: ['127.0.0.1'] },
};

type Pairs = Record<'server' | 'client', KeyPair>;

describe('a hand-made cluster whose agents verify certificates', () => {
  const namespace = namespaceName('adopt-tls');
  const given = { ...inputs, namespace, 'client-replicas': '1', 'server-storage': 'ephemeral' };
  const withSecrets = { ...given, 'tls-secret': 'for-servers', 'tls-client-secret': 'for-clients' };
  const key = randomBytes(32).toString('base64');
  let authority: KeyPair;
  let ours: Pairs;

  beforeAll(async () => {
    authority = await newAuthority('theirs');
    const old = await pairs(authority);
    ours = await pairs(authority);
    await startOriginal(namespace, 1, key, (manifest) => withTls(manifest, old, authority.certificate));
    const servers = await pods(namespace, 'server');
    for (const { status } of servers) expect(await closesAtPlaintext(status.podIP ?? '')).toBe(true);
    const ip = servers[0]?.status.podIP ?? '';
    const autopilot = '/v1/operator/autopilot/configuration';
    const settings = await consul<object>(ip, autopilot);
    // How long a newcomer is watched before it votes: it is not what this is about, and takes most of the time.
    await put(ip, autopilot, { ...settings, ServerStabilizationTime: '2s' });
  }, KILLED_MS);
  afterAll(() => removeNamespace(namespace));

  it('is refused without certificates for the new agents, which could not join, and told how to give them', async () => {
    const stored = await versions(namespace);
    const uids = await uidsOf(namespace);
    for (const [mode, headline] of [
      ['plan', 'There is no plan'],
      ['deploy', 'Consul is not proven'],
    ] as const) {
      const refused = await deploy({ ...given, mode });
      expectRed(refused, 'adoption', headline);
      expect(refused.report?.failure?.what).toMatch(/agents have to show certificates at consul-/);
      expect(refused.report?.failure?.hint).toMatch(
        /kubectl -n \S+ create secret generic consul-server-certificate --from-file=ca\.crt --from-file=tls\.crt --from-file=tls\.key/,
      );
    }
    expect(await versions(namespace)).toEqual(stored);
    expect(await uidsOf(namespace)).toEqual(uids);
  });

  it('is refused with certificates of another authority, before anything is written', async () => {
    const another = await newAuthority('another');
    await putPairs(namespace, await pairs(another), another.certificate);
    const stored = await versions(namespace);
    const refused = await deploy(withSecrets);
    expectRed(refused, 'adoption');
    expect(refused.report?.failure?.what).toMatch(/not signed by the authority.*CN=consul-deploy theirs/);
    expect(await versions(namespace)).toEqual(stored);
  });

  it('is planned with those of its own', async () => {
    await putPairs(namespace, ours, authority.certificate);
    const planned = await deploy({ ...withSecrets, mode: 'plan' });
    expect(planned.code, planned.log).toBe(0);
    expect(check(planned, 'tls-plan').observed).toMatch(
      /^stays with TLS: .*Secret\/for-servers and Secret\/for-clients/,
    );
  });

  it(
    'is taken over with them, also by the run after one that was killed half-way, and no write is lost',
    async () => {
      const before = await uidsOf(namespace);
      const { load } = await underLoad(namespace, async () => {
        // With one server moved, which enforces, and another on its way.
        await killedAt(withSecrets, 'consul-server-1 is replaced');
        const last = await deploy(withSecrets);
        expect(last.code, last.log).toBe(0);
        expect(check(last, 'tls').observed).toMatch(/^TLS, enforced at 3 of 3 servers \(on the wire\)/);
        expect(check(last, 'gossip').observed).toBe('encrypted and enforced at 4 of 4 agents (on the wire)');
        expect(last.log).not.toContain('Bring RPC to TLS');
        for (const secret of [key, ...Object.values(ours).map((pair) => pair.key.split('\n')[1] ?? '')])
          expect(last.log).not.toContain(secret);
      });
      console.log(
        `adopt with TLS, killed once: ${load.written.size} writes acknowledged; longest gap: writes ${Math.round(load.writeGapMs)} ms, reads ${Math.round(load.readGapMs)} ms`,
      );
      expect(load.written.size).toBeGreaterThan(300);
      await expectAllKept(namespace, load.written);
      await expectNewShape(namespace);
      const after = await uidsOf(namespace);
      expect(after.filter((uid) => before.includes(uid))).toEqual([]);
      const wanted = new X509Certificate(ours.server.certificate).fingerprint256;
      for (const { status } of await pods(namespace, 'server')) {
        expect(await closesAtPlaintext(status.podIP ?? '')).toBe(true);
        expect((await shown(status.podIP ?? '')).fingerprint256).toBe(wanted);
      }
    },
    KILLED_MS,
  );

  it('stays so with the next deploy, which has nothing to do', async () => {
    const again = await deploy(withSecrets);
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
  });
});

async function uidsOf(namespace: string): Promise<string[]> {
  return (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();
}

async function pairs(authority: KeyPair): Promise<Pairs> {
  const [server, client] = await Promise.all([
    newLeaf(authority, NAMES.server),
    newLeaf(authority, NAMES.client),
  ]);
  return { server, client };
}

async function putPairs(namespace: string, { server, client }: Pairs, authority: string): Promise<void> {
  const items = [
    secretOf('for-servers', server, authority, { namespace }),
    secretOf('for-clients', client, authority, { namespace }),
  ];
  await kubectlApply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

function secretOf(name: string, { certificate, key }: KeyPair, authority: string, more = {}): object {
  const stringData = { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authority, 'tls.json': SETTINGS };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, ...more }, stringData };
}

const SETTINGS = JSON.stringify({
  tls: {
    internal_rpc: {
      ca_file: '/tls/ca.crt',
      cert_file: '/tls/tls.crt',
      key_file: '/tls/tls.key',
      verify_incoming: true,
      verify_outgoing: true,
      verify_server_hostname: true,
    },
  },
});

/** As its owners did it: a Secret for each role, in a volume, with a file of settings beside the certificates. */
function withTls(manifest: string, old: Pairs, authority: string): string {
  const sets = manifest.split(/^---$/m).map((part) => {
    const role = /^ {2}name: consul-(server|client)$/m.exec(part)?.[1] as keyof Pairs;
    if (!part.includes('kind: StatefulSet')) return part;
    const mounted = part.replace('- agent\n', '- agent\n            - -config-file=/tls/tls.json\n').replace(
      'resources: {requests: {memory: 64Mi}}',
      `resources: {requests: {memory: 64Mi}}
          volumeMounts: [{name: tls, mountPath: /tls}]
      volumes: [{name: tls, secret: {secretName: old-${role}}}]`,
    );
    const secret = JSON.stringify(secretOf(`old-${role}`, old[role], authority));
    // Before its pods, which would wait for it.
    return `\n${secret}\n---${mounted}`;
  });
  return sets.join('---');
}
