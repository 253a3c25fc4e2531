import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul, keys } from '../consul/consul.ts';
import { namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { check, deploy, start } from '../run/action.ts';
import { TINY } from '../run/scenario.ts';

const [PREFIXES, KEYS_EACH, VALUE_BYTES] = [200, 1_000, 500];
/** The most that one transaction takes. */
const AT_ONCE = 64;

interface Entry {
  Key: string;
  Value: string;
}

/** Bytes of its own for each key, which no compression makes small. */
function bytesOf(key: string): Buffer {
  return createHash('shake256', { outputLength: VALUE_BYTES }).update(key).digest();
}

describe('a snapshot of 100 MB of values', () => {
  const namespace = namespaceName('huge');
  const given = {
    ...{ ...TINY, namespace, timeout: '10m', 'client-replicas': '1', 'server-storage': '5Gi' },
    'server-resources': '{"requests":{"cpu":"100m","memory":"256Mi"},"limits":{"memory":"2Gi"}}',
  };

  async function server(): Promise<string> {
    const [pod] = await pods(namespace, 'server');
    return pod?.status.podIP ?? '';
  }

  /** Over all names and values, as Consul itself tells them, and how many there are. */
  async function digest(): Promise<{ sha256: string; keys: number }> {
    const ip = await server();
    const sum = createHash('sha256');
    let total = 0;
    for (let at = 0; at < PREFIXES; at += 1) {
      const entries = await consul<Entry[]>(ip, `/v1/kv/huge/${at}/?recurse`);
      total += entries.length;
      for (const { Key, Value } of entries) sum.update(`${Key}\0${Value}\0`);
    }
    return { sha256: sum.digest('hex'), keys: total };
  }

  beforeAll(async () => {
    const outcome = await deploy(given);
    expect(outcome.code, outcome.log).toBe(0);
    const ip = await server();
    const names = Array.from({ length: PREFIXES * KEYS_EACH }, (_, at) => `huge/${at % PREFIXES}/${at}`);
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const operations = names.slice(from, from + AT_ONCE).map((Key) => ({
        KV: { Verb: 'set', Key, Value: bytesOf(Key).toString('base64') },
      }));
      await consul(ip, '/v1/txn', { method: 'PUT', body: JSON.stringify(operations) });
    }
  }, 1_200_000);
  afterAll(() => removeNamespace(namespace));

  it('is taken, and after a restore every name and value is as it was, by a digest of its own', async () => {
    const before = await digest();
    expect(before.keys).toBe(PREFIXES * KEYS_EACH);
    const key = { 'snapshot-key': await generateIdentity() };
    const taken = await deploy({ namespace, mode: 'snapshot', timeout: '10m', ...key });
    expect(taken.code, taken.log).toBe(0);
    expect(taken.report?.snapshot?.counts.keys).toBe(before.keys);
    const bytes = taken.files.get('consul-consul.snap.age')?.bytes ?? Buffer.alloc(0);
    expect(bytes.length).toBeGreaterThan(PREFIXES * KEYS_EACH * VALUE_BYTES);

    const ip = await server();
    for (let at = 0; at < PREFIXES; at += 1)
      await consul(ip, `/v1/kv/huge/${at}/?recurse`, { method: 'DELETE' });
    expect(await keys(ip, 'huge/')).toEqual([]);
    const restore = { ...given, ...key, mode: 'restore', restore: 'huge.age', confirm: 'consul' };
    const restored = await start(restore, {}, (workspace) => {
      writeFileSync(join(workspace, 'huge.age'), bytes);
      return () => undefined;
    }).outcome;
    expect(restored.code, restored.log).toBe(0);
    expect(check(restored, 'restore-difference').observed).toContain(`comes back: ${before.keys} keys`);
    expect(check(restored, 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
    expect(await digest()).toEqual(before);
  }, 1_800_000);

  it('that was cut off is refused before anything is written', async () => {
    const before = await digest();
    const key = { 'snapshot-key': await generateIdentity() };
    const { files } = await deploy({ namespace, mode: 'snapshot', timeout: '10m', ...key });
    const bytes = files.get('consul-consul.snap.age')?.bytes ?? Buffer.alloc(0);
    const restore = { ...given, ...key, mode: 'restore', restore: 'cut.age', confirm: 'consul' };
    const outcome = await start(restore, {}, (workspace) => {
      writeFileSync(join(workspace, 'cut.age'), bytes.subarray(0, Math.floor(bytes.length / 2)));
      return () => undefined;
    }).outcome;
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.report?.failure?.reason).toBe('snapshot');
    expect(outcome.outputs.changed).toBe('false');
    expect(await digest()).toEqual(before);
  }, 1_200_000);
});
