import { createDecipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bed } from '../bed/bed.ts';
import { expectNoFailedWrite, leadership } from '../change/observed.ts';
import { consul, members } from '../consul/consul.ts';
import {
  containers,
  eventually,
  kubectl,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  signalAgent,
} from '../kubernetes/cluster.ts';
import { check, killedAt } from '../run/action.ts';
import { KeptRuns } from '../run/kept-runs.ts';
import { address, expectRed, expectUnnoticed, LIVING } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';

const AGENTS = 5;
const SECRET = 'consul-gossip';

describe.skipIf(!bed)('the gossip of a cluster that runs', () => {
  const namespace = namespaceName('gossip');
  const given = { ...LIVING, namespace, 'client-max-unavailable': '1' };
  const kept = new KeptRuns(given, () => keysOf(namespace));
  const run = (inputs?: Record<string, string>) => kept.run(inputs);

  beforeAll(async () => {
    const outcome = await kept.green({ 'gossip-encryption': 'false' });
    expect(check(outcome, 'gossip').observed).toBe(
      `plaintext at ${AGENTS} of ${AGENTS} agents (on the wire)`,
    );
  });
  afterAll(() => removeNamespace(namespace));
  /** Whatever a test did, no key is in anything that a run has left. */
  afterEach(() => kept.expectNoSecret());

  it('charts#20327, consul#15325: is encrypted with the key that was given, as is seen on the wire: plaintext before, and nothing that can be read after', async () => {
    expect(await seen(namespace)).toContain('consul-server-1');
    const key = randomBytes(32).toString('base64');
    await kubectl('-n', namespace, 'create', 'secret', 'generic', 'ours', `--from-literal=key=${key}`);
    const before = await containers(namespace);
    const client = await address(namespace, 'consul-client-0');
    const body = JSON.stringify({ Name: 'held', Check: { TTL: '10m', Status: 'passing' } });
    await fetch(`http://${client}:8500/v1/agent/service/register`, { method: 'PUT', body });
    const { value, traffic } = await underTraffic({ namespace, prefix: 'encrypt' }, () =>
      run({ 'gossip-encryption': 'true', 'gossip-key-secret': 'ours' }),
    );
    expect(value.code, value.log).toBe(0);
    expect(check(value, 'gossip').observed).toBe(
      `encrypted and enforced at ${AGENTS} of ${AGENTS} agents (on the wire)`,
    );
    expect(await containers(namespace)).toEqual(before);
    await expectUnnoticed(traffic);
    const [held] = await consul<{ ServiceName: string }[]>(client, '/v1/catalog/service/held');
    expect(held?.ServiceName).toBe('held');

    expect(await seen(namespace)).toBe('');
    expect(await keysOf(namespace)).toEqual([key]);
    for (const { metadata, status } of await pods(namespace)) {
      // Compressed, within what is encrypted; the agent's own log says what it is.
      expect(await answered(status.podIP ?? '', key)).toBe(9);
      const log = await kubectl('-n', namespace, 'logs', metadata.name, '--tail=50');
      expect(log).toMatch(/Encryption is configured but remote state is not encrypted from=(?!127\.0\.0\.1)/);
    }
  });

  it('puppet-consul#256, consul#719: another key reaches every agent, and those that start later, without a restart', async () => {
    const before = await containers(namespace);
    const [old = ''] = await keysOf(namespace);
    const { term } = await leadership(namespace);
    const { value, traffic } = await underTraffic({ namespace, prefix: 'rotate' }, () =>
      run({ rotate: 'gossip' }),
    );
    expect(value.code, value.log).toBe(0);
    expect(await containers(namespace)).toEqual(before);
    await expectUnnoticed(traffic);
    await expectNoFailedWrite(namespace, term, traffic);
    const found = await keysOf(namespace);
    expect(found).toHaveLength(1);
    expect(found).not.toContain(old);
    // Consul itself says so.
    expect(await ringsOf(namespace)).toEqual([found, found]);
    await kubectl('-n', namespace, 'delete', 'pod', 'consul-client-1', '--wait=false');
    const again = await run();
    expect(again.code, again.log).toBe(0);
  });

  it('a rotation that is killed, and killed again, is finished by the run after, which nobody has to tell', async () => {
    const [old = ''] = await keysOf(namespace);
    const inputs = { ...given, rotate: 'gossip' };
    const first = await killedAt(inputs, 'gossip: every agent has the new key');
    expect(first.code).not.toBe(0);
    expect(await keysOf(namespace)).toHaveLength(2);
    const second = await killedAt(given, 'gossip: every agent encrypts with the new key');
    expect(second.code).not.toBe(0);
    const last = await run();
    expect(last.code, last.log).toBe(0);
    const found = await keysOf(namespace);
    expect(found).toHaveLength(1);
    expect(found).not.toContain(old);
    expect(await ringsOf(namespace)).toEqual([found, found]);
  });

  it('consul#1299: a key that is none is refused before anything is written, and what is wrong is said', async () => {
    const before = await keysOf(namespace);
    const literal = `--from-literal=key=${Buffer.alloc(15, 1).toString('base64')}`;
    await kubectl('-n', namespace, 'create', 'secret', 'generic', 'short', literal);
    const outcome = await run({ 'gossip-key-secret': 'short', rotate: 'gossip' });
    expectRed(outcome, 'gossip-key');
    expect(outcome.report?.failure?.what).toContain('16, 24 or 32 bytes');
    expect(await keysOf(namespace)).toEqual(before);
  });

  it('an agent that is away is not left behind: no key is changed without it', async () => {
    const before = await keysOf(namespace);
    await signalAgent(namespace, 'consul-client-1', 'STOP');
    try {
      const server = await address(namespace, 'consul-server-0');
      await eventually('a member that has failed', 60_000, async () =>
        (await members(server)).some(({ Name, Status }) => Name === 'consul-client-1' && Status === 4)
          ? true
          : undefined,
      );
      const outcome = await run({ rotate: 'gossip' });
      expectRed(outcome, 'stalled');
      expect(outcome.report?.failure?.what).toContain('consul-client-1');
    } finally {
      await signalAgent(namespace, 'consul-client-1', 'CONT');
    }
    expect(await keysOf(namespace)).toEqual(before);
  });

  it('one agent that takes plaintext is found and named, and the next deploy sets it right', async () => {
    expect((await kept.verify()).code).toBe(0);
    const lax = Buffer.from('{"encrypt_verify_incoming":false}').toString('base64');
    await kubectl(
      '-n',
      namespace,
      'patch',
      'secret',
      SECRET,
      '-p',
      JSON.stringify({ data: { 'gossip.json': lax } }),
    );
    await kubectl('-n', namespace, 'annotate', 'pod', 'consul-client-0', 'test/files=new', '--overwrite');
    const script = 'until grep -q false /consul/config/25-gossip.json; do sleep 0.2; done; kill -USR1 1';
    await kubectl('-n', namespace, 'exec', 'consul-client-0', '--', '/bin/sh', '-c', script);
    const red = await kept.verify();
    expectRed(red, 'not-encrypted');
    expect(red.report?.failure?.where).toBe('Pod/consul-client-0');
    const repaired = await run();
    expect(repaired.code, repaired.log).toBe(0);
    expect((await kept.verify()).code).toBe(0);
  });

  it('a Secret that was removed is put back with the key that the agents have', async () => {
    const before = await keysOf(namespace);
    await kubectl('-n', namespace, 'delete', 'secret', SECRET);
    const outcome = await run();
    expect(outcome.code, outcome.log).toBe(0);
    expect(await keysOf(namespace)).toEqual(before);
  });

  it('a way back that is killed in the middle is finished by the next run, which nobody has to tell', async () => {
    const before = await containers(namespace);
    const { value, traffic } = await underTraffic({ namespace, prefix: 'back' }, async () => {
      const killed = await killedAt({ ...given, 'gossip-encryption': 'false' }, 'go to the state "keyed"');
      expect(killed.code).not.toBe(0);
      return run();
    });
    expect(value.code, value.log).toBe(0);
    expect(check(value, 'gossip').observed).toContain('plaintext');
    expect(await containers(namespace)).toEqual(before);
    await expectUnnoticed(traffic);
    expect(await seen(namespace)).toContain('consul-server-1');
    expect(await keysOf(namespace)).toEqual([]);
  });
});

/** The keys in the Secret, none where there is no Secret. */
async function keysOf(namespace: string): Promise<string[]> {
  const { items } = await kubectlJson<{
    items: { metadata: { name: string }; data: Record<string, string> }[];
  }>('-n', namespace, 'get', 'secrets');
  const found = items.find(({ metadata }) => metadata.name === SECRET);
  return found ? JSON.parse(Buffer.from(found.data.keyring ?? '', 'base64').toString()) : [];
}

/** The keys that every agent of a ring has, of the servers' ring and that of all agents, as Consul tells. */
async function ringsOf(namespace: string): Promise<string[][]> {
  const server = await address(namespace, 'consul-server-0');
  const rings = await consul<{ Keys: Record<string, number>; NumNodes: number }[]>(
    server,
    '/v1/operator/keyring',
  );
  return rings.map(({ Keys, NumNodes }) =>
    Object.entries(Keys).map(([key, agents]) => (agents === NumNodes ? key : `${agents} of ${NumNodes}`)),
  );
}

/** The names of agents of this namespace's addresses that can be read in their gossip, as a capture on the network shows. */
async function seen(namespace: string): Promise<string> {
  const ips = (await pods(namespace)).map(({ status }) => `host ${status.podIP}`);
  const bytes = await bed?.capture(`port 8301 and (${ips.join(' or ')})`, 4_000);
  if (!bytes || bytes.length < 1_000) throw new Error(`too little gossip: ${bytes?.length} bytes`);
  const names = bytes.toString('latin1').match(/consul-(?:server|client)-\d/g) ?? [];
  return [...new Set(names)].sort().join(' ');
}

/**
 * Sends a ping in plaintext from this machine. The answer opens with the key: AES-GCM with the first five bytes as further
 * data, which no other key would do.
 * @returns the type of the message within
 */
async function answered(ip: string, key: string): Promise<number | undefined> {
  const socket = connect(8301, ip);
  await once(socket, 'connect');
  socket.write(Buffer.from('\x00\x82\xa5SeqNo\x07\xa4Node\xa0', 'latin1'));
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const answer = Buffer.concat(chunks);
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'base64'), answer.subarray(6, 18));
  decipher.setAAD(answer.subarray(0, 5)).setAuthTag(answer.subarray(-16));
  return Buffer.concat([decipher.update(answer.subarray(18, -16)), decipher.final()])[0];
}
