import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul, keys, members } from '../consul/consul.ts';
import { eventually, kubectl, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { startFlakyProxy } from '../kubernetes/flaky-proxy.ts';
import { applyRbac, kubeconfigOf, rbac, removeRbac } from '../permissions/rbac.ts';
import { check, deploy, type Outcome, start } from '../run/action.ts';
import { expectRed, TINY } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';

const run = promisify(execFile);

/** What `consul snapshot inspect` says of a file. */
interface Inspected {
  Meta: { Index: number };
  Stats: { Name: string; Count: number }[];
}

describe('a snapshot', () => {
  const namespace = namespaceName('snapshot');
  const given = { ...TINY, namespace, 'client-replicas': '1', 'server-storage': '1Gi' };
  const snapshot = { namespace, mode: 'snapshot', 'snapshot-plain': 'true' };
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-snapshot-'));
  const programs = new Map<string, string>();
  let identity = '';
  let recipient = '';

  beforeAll(async () => {
    for (const name of ['age', 'consul']) {
      programs.set(name, (await run('testbed/build', [name])).stdout.trim());
    }
    identity = await generateIdentity();
    recipient = await identityToRecipient(identity);
    const outcome = await deploy(given);
    expect(outcome.code, outcome.log).toBe(0);
    const ip = await server();
    for (let index = 0; index < 50; index += 1) {
      const body = index === 0 ? Buffer.from([0xff, 0, 0xc1, 0x80]) : `value ${index}`;
      await consul(ip, `/v1/kv/app/${index}`, { method: 'PUT', body });
    }
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await removeNamespace(namespace);
  });

  async function server(): Promise<string> {
    const [pod] = await pods(namespace, 'server');
    return pod?.status.podIP ?? '';
  }

  /** By Consul itself, which reads the file to its end. */
  async function inspect(bytes: Buffer): Promise<Inspected> {
    const file = join(folder, 'inspected.snap');
    writeFileSync(file, bytes);
    const { stdout } = await run(programs.get('consul') ?? '', ['snapshot', 'inspect', '-format=json', file]);
    return JSON.parse(stdout) as Inspected;
  }

  function count({ Stats }: Inspected, name: string): number {
    return Stats.find(({ Name }) => Name === name)?.Count ?? 0;
  }

  function only({ files, log }: Outcome): { name: string; bytes: Buffer; mode: number } {
    const [first, ...others] = [...files].map(([name, file]) => ({ name, ...file }));
    expect(others).toEqual([]);
    if (!first) throw new Error(`there is no file:\n${log}`);
    return first;
  }

  it('is encrypted, and holds what Consul itself finds in it', async () => {
    const outcome = await deploy({ ...snapshot, 'snapshot-plain': 'false', 'snapshot-key': recipient });
    expect(outcome.code, outcome.log).toBe(0);
    const { name, bytes, mode } = only(outcome);
    expect(name).toBe('consul-consul.snap.age');
    expect(mode).toBe(0o600);
    expect(bytes.includes('value 1')).toBe(false);
    const [encrypted, key] = [join(folder, 'encrypted'), join(folder, 'key')];
    writeFileSync(encrypted, bytes);
    writeFileSync(key, identity);
    const plain = execFileSync(programs.get('age') ?? '', ['-d', '-i', key, encrypted], {
      maxBuffer: 1 << 26,
    });
    const inspected = await inspect(plain);
    expect(count(inspected, 'KVS')).toBe(50);

    const { snapshot: told } = outcome.report ?? {};
    const { keys = 0, nodes = 0, services = 0, checks = 0, sessions = 0 } = told?.counts ?? {};
    expect(keys).toBe(50);
    expect(nodes + services + checks).toBe(count(inspected, 'Register'));
    expect(sessions).toBe(count(inspected, 'Session'));
    const all = Object.values(told?.counts ?? {}).reduce((sum, one) => sum + one, 0);
    expect(all).toBe(inspected.Stats.reduce((sum, { Count }) => sum + Count, 0));
    expect(told).toMatchObject({ index: inspected.Meta.Index, encrypted: true, stale: false });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(outcome.outputs).toMatchObject({ 'snapshot-sha256': sha256, changed: 'false' });
    expect(outcome.outputs.snapshot).toMatch(/consul-consul\.snap\.age$/);
    expect(outcome.summary).toContain('Snapshot of 50 keys');
  });

  it('is inspected without a cluster, and compared with it by the documented permissions', async () => {
    const { bytes } = only(await deploy(snapshot));
    const file = { mode: 'inspect', restore: 'kept.snap' };
    const inspected = (inputs: Record<string, string>) =>
      start({ ...file, ...inputs }, { KUBECONFIG: '/nonexistent' }, (workspace) => {
        writeFileSync(join(workspace, 'kept.snap'), bytes);
        return () => undefined;
      }).outcome;
    const alone = await inspected({});
    expect(alone.code, alone.log).toBe(0);
    const theirs = await inspect(bytes);
    const { snapshot: told } = alone.report ?? {};
    const all = Object.values(told?.counts ?? {}).reduce((sum, one) => sum + one, 0);
    expect(all).toBe(theirs.Stats.reduce((sum, { Count }) => sum + Count, 0));
    expect(told).toMatchObject({ index: theirs.Meta.Index, prefixes: [{ prefix: 'app/', keys: 50 }] });
    expect(alone.outputs['snapshot-sha256']).toBe(createHash('sha256').update(bytes).digest('hex'));

    const ip = await server();
    await consul(ip, '/v1/kv/app/2', { method: 'PUT', body: 'other' });
    await consul(ip, '/v1/kv/later', { method: 'PUT', body: 'later' });
    const roles = rbac('docs/rbac-snapshot.yaml', namespace);
    await applyRbac(roles);
    const token = (await kubectl('-n', namespace, 'create', 'token', 'consul-snapshot')).trim();
    const kubeconfig = await kubeconfigOf(namespace, token);
    const compared = await inspected({ namespace, kubeconfig, compare: 'cluster' });
    await removeRbac(roles);
    await consul(ip, '/v1/kv/app/2', { method: 'PUT', body: 'value 2' });
    await consul(ip, '/v1/kv/later', { method: 'DELETE' });
    expect(compared.code, compared.log).toBe(0);
    expect(compared.report?.difference).toMatchObject({
      with: 'cluster',
      total: 2,
      keys: { onlyHere: { total: 0 }, onlyThere: { names: ['later'] }, changed: { names: ['app/2'] } },
    });
    expect(compared.outputs).toMatchObject({ differences: '2', changed: 'false' });
    expect([...compared.files.keys()]).toEqual(['kept.snap']);
  });

  it('that this has taken, is restored by Consul', async () => {
    const { bytes } = only(await deploy(snapshot));
    const ip = await server();
    await consul(ip, '/v1/kv/app?recurse', { method: 'DELETE' });
    const file = join(folder, 'restored.snap');
    writeFileSync(file, bytes);
    await run(programs.get('consul') ?? '', ['snapshot', 'restore', `-http-addr=${ip}:8500`, file]);
    const [first] = await consul<{ Value: string }[]>(ip, '/v1/kv/app/0');
    expect(Buffer.from(first?.Value ?? '', 'base64')).toEqual(Buffer.from([0xff, 0, 0xc1, 0x80]));
    expect(await consul<string[]>(ip, '/v1/kv/app?keys')).toHaveLength(50);
  });

  it('of Consul is restored, with what is there now kept and every key proven', async () => {
    const ip = await server();
    const theirs = join(folder, 'theirs.snap');
    await run(programs.get('consul') ?? '', ['snapshot', 'save', `-http-addr=${ip}:8500`, theirs]);
    await consul(ip, '/v1/kv/app/0', { method: 'DELETE' });
    await consul(ip, '/v1/kv/app/1', { method: 'PUT', body: 'other' });
    await consul(ip, '/v1/kv/later', { method: 'PUT', body: 'later' });
    const restore = {
      ...given,
      mode: 'restore',
      restore: 'theirs.snap',
      confirm: 'consul',
      'snapshot-key': recipient,
    };
    const outcome = await start(restore, {}, (workspace) => {
      copyFileSync(theirs, join(workspace, 'theirs.snap'));
      return () => undefined;
    }).outcome;
    expect(outcome.code, outcome.log).toBe(0);
    expect(check(outcome, 'restore-difference').observed).toBe(
      'goes: 1 key (later); gets another value: 1 key (app/1); comes back: 1 key (app/0)',
    );
    expect(check(outcome, 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
    expect(check(outcome, 'smoke-kv').status).toBe('passed');
    expect(outcome.report?.left).toContain('Consul holds what the snapshot holds');
    expect(await consul<string[]>(ip, '/v1/kv/app?keys')).toHaveLength(50);
    const [one] = await consul<{ Value: string }[]>(ip, '/v1/kv/app/1');
    expect(Buffer.from(one?.Value ?? '', 'base64').toString()).toBe('value 1');
    // What was there before, as it was.
    const kept = outcome.files.get('consul-consul.snap.age');
    expect(kept?.mode).toBe(0o600);
  });

  it('is rehearsed in a namespace of its own, with the documented permissions, and that is gone afterwards', async () => {
    const rehearsal = `${namespace}-consul-rehearsal`;
    const roles = rbac('docs/rbac-rehearse.yaml', namespace);
    for (const { resourceNames = [] } of roles.flatMap(({ rules = [] }) => rules)) {
      if (resourceNames[0] === 'consul-rehearsal') resourceNames[0] = rehearsal;
    }
    await applyRbac(roles);
    const token = (await kubectl('-n', namespace, 'create', 'token', 'consul-rehearse')).trim();
    const taken = await deploy({ ...snapshot, 'snapshot-plain': 'false', 'snapshot-key': recipient });
    const { bytes } = only(taken);
    const before = await consul<string[]>(await server(), '/v1/kv/?keys');
    const kubeconfig = await kubeconfigOf(namespace, token);
    const inputs = { ...given, mode: 'rehearse', restore: 'kept.age', 'snapshot-key': identity, kubeconfig };
    const outcome = await start(inputs, { KUBECONFIG: '/nonexistent' }, (workspace) => {
      writeFileSync(join(workspace, 'kept.age'), bytes);
      return () => undefined;
    }).outcome;
    await removeRbac(roles);
    expect(outcome.code, outcome.log).toBe(0);
    expect(check(outcome, 'rehearsal').observed).toMatch(/^Consul 1\.22\.\d+ holds all of it; restored in/);
    expect(outcome.outputs.changed).toBe('false');
    const namespaces = (await kubectl('get', 'namespaces', '-o', 'name')).split('\n');
    expect(namespaces).toContain(`namespace/${namespace}`);
    expect(namespaces).not.toContain(`namespace/${rehearsal}`);
    expect(await consul<string[]>(await server(), '/v1/kv/?keys')).toEqual(before);
  });

  it('is taken and rehearsed by a verification, with the documented permissions, and left nowhere', async () => {
    const rehearsal = `${namespace}-consul-rehearsal`;
    const [verify, rehearse] = ['docs/rbac-verify.yaml', 'docs/rbac-rehearse.yaml'].map((file) =>
      rbac(file, namespace),
    );
    for (const { resourceNames = [] } of rehearse?.flatMap(({ rules = [] }) => rules) ?? []) {
      if (resourceNames[0] === 'consul-rehearsal') resourceNames[0] = rehearsal;
    }
    await applyRbac([...(verify ?? []), ...(rehearse ?? [])]);
    // As docs/guides/verify.md says it.
    const binding = `${namespace}-consul-verify-rehearses`;
    await kubectl(
      ...['create', 'clusterrolebinding', binding],
      ...[`--clusterrole=${namespace}-consul-rehearse-anywhere`],
      ...[`--serviceaccount=${namespace}:consul-verify`],
    );
    const token = (await kubectl('-n', namespace, 'create', 'token', 'consul-verify')).trim();
    const kubeconfig = await kubeconfigOf(namespace, token);
    const before = await consul<string[]>(await server(), '/v1/kv/?keys');
    const inputs = { ...given, mode: 'verify', rehearse: 'true', timeout: '4m', kubeconfig };
    const outcome = await deploy(inputs, { KUBECONFIG: '/nonexistent' });
    await kubectl('delete', 'clusterrolebinding', binding);
    for (const roles of [verify, rehearse]) await removeRbac(roles ?? []);
    expect(outcome.code, outcome.log).toBe(0);
    expect(check(outcome, 'snapshot').observed).toContain('left nowhere');
    expect(check(outcome, 'restore-version').observed).toMatch(
      /^Consul 1\.22\.\d+ has written it, and 1\.22\.\d+ reads it$/,
    );
    expect(check(outcome, 'rehearsal').observed).toMatch(/^Consul 1\.22\.\d+ holds all of it; restored in/);
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'false' });
    expect(outcome.outputs.snapshot ?? '').toBe('');
    expect(outcome.files.size).toBe(0);
    expect(outcome.summary).toContain('Consul works');
    const namespaces = (await kubectl('get', 'namespaces', '-o', 'name')).split('\n');
    expect(namespaces).not.toContain(`namespace/${rehearsal}`);
    expect(await consul<string[]>(await server(), '/v1/kv/?keys')).toEqual(before);
  });

  it('of which the leader is lost in the middle of the restore: the report says how it stands, and the next run finishes', async () => {
    const ip = await server();
    // What no compression makes small: the proxy stops in the middle of it.
    const values = Array.from({ length: 16 }, () => randomBytes(256 * 1024));
    for (const [at, body] of values.entries())
      await consul(ip, `/v1/kv/big/${at}`, { method: 'PUT', body: new Uint8Array(body) });
    const { bytes } = only(await deploy(snapshot));
    await consul(ip, '/v1/kv/big?recurse', { method: 'DELETE' });
    await consul(ip, '/v1/kv/later', { method: 'PUT', body: 'later' });
    const restore = {
      ...given,
      ...{ mode: 'restore', restore: 'kept.snap', confirm: 'consul', 'snapshot-key': recipient },
    };
    const kept = (workspace: string) => {
      writeFileSync(join(workspace, 'kept.snap'), bytes);
      return () => undefined;
    };
    const proxy = await startFlakyProxy({ stallAfter: 2 * 1024 * 1024 });
    const lost = start({ ...restore, kubeconfig: proxy.kubeconfig }, { KUBECONFIG: '/nonexistent' }, kept);
    await Promise.race([proxy.stalled, lost.outcome]);
    await kubectl('-n', namespace, 'delete', 'pod', 'consul-server-0', '--wait=false');
    const outcome = await lost.outcome;
    await proxy.close();
    expectRed(outcome, 'unreachable', 'Nothing is proven to be restored');
    expect(outcome.report?.left).toContain('The restore was sent and its end was not seen');
    expect(outcome.report?.left).toContain('Run it again');
    // What there was before is in the file that the report names.
    expect(outcome.files.get('consul-consul.snap.age')?.bytes.length).toBeGreaterThan(0);

    const again = await start({ ...restore, timeout: '4m' }, {}, kept).outcome;
    expect(again.code, again.log).toBe(0);
    expect(check(again, 'restore-difference').observed).toContain('goes: 1 key (later)');
    expect(check(again, 'restore-content')).toMatchObject({ status: 'passed', observed: 'all of them' });
    const now = await server();
    expect(await keys(now, 'later')).toEqual([]);
    for (const [at, value] of values.entries()) {
      const [found] = await consul<{ Value: string }[]>(now, `/v1/kv/big/${at}`);
      expect(Buffer.from(found?.Value ?? '', 'base64').equals(value), `big/${at}`).toBe(true);
    }
    await consul(now, '/v1/kv/big?recurse', { method: 'DELETE' });
  });

  it('that is damaged, or that no key opens, is refused before anything is written', async () => {
    const { bytes } = only(await deploy(snapshot));
    const before = await consul<string[]>(await server(), '/v1/kv/?keys');
    const restore = {
      ...given,
      mode: 'restore',
      restore: 'bad.snap',
      confirm: 'consul',
      'snapshot-key': recipient,
    };
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(await generateIdentity()));
    const bad: [Uint8Array, string][] = [
      [bytes.subarray(0, bytes.length - 20), 'the snapshot is damaged'],
      [Buffer.from('no snapshot at all'), 'the snapshot is damaged'],
      [await encrypter.encrypt(bytes), 'a recipient can only write snapshots'],
    ];
    for (const [content, what] of bad) {
      const outcome = await start(restore, {}, (workspace) => {
        writeFileSync(join(workspace, 'bad.snap'), content);
        return () => undefined;
      }).outcome;
      expect(outcome.code, outcome.log).toBe(1);
      expect(outcome.report?.failure?.what).toContain(what);
      expect(outcome.outputs.changed).toBe('false');
    }
    expect(await consul<string[]>(await server(), '/v1/kv/?keys')).toEqual(before);
  });

  it('is not left without a key', async () => {
    const outcome = await deploy({ ...snapshot, 'snapshot-plain': 'false' });
    expectRed(outcome, 'invalid-input', 'There is no snapshot');
    expect(outcome.files.size).toBe(0);
  });

  it('that fits on no disk leaves the one before as it is, and nothing beside it', async () => {
    const outcome = await start({ ...snapshot, 'snapshot-path': 'disk/old.snap' }, {}, (workspace) => {
      const disk = join(workspace, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', disk]);
      writeFileSync(join(disk, 'old.snap'), 'old');
      return () => execFileSync('umount', [disk]);
    }).outcome;
    expectRed(outcome, 'snapshot', 'There is no snapshot');
    expect(outcome.report?.failure?.what).toContain('the disk of the runner is full');
    expect([...outcome.files].map(([name, { bytes }]) => [name, bytes.toString()])).toEqual([
      ['disk/old.snap', 'old'],
    ]);
  });

  it('is taken before servers are replaced, and not for less', async () => {
    const inputs = { ...given, 'snapshot-key': recipient };
    const same = await deploy(inputs);
    expect(same.code, same.log).toBe(0);
    expect(same.report?.snapshot).toBeUndefined();
    const changed = await deploy({
      ...inputs,
      'server-config': '{"raft_protocol":3,"performance":{"raft_multiplier":2}}',
    });
    expect(changed.code, changed.log).toBe(0);
    expect(check(changed, 'snapshot').status).toBe('passed');
    expect(changed.report?.snapshot?.counts.keys).toBe(50);
    const { phases = [] } = changed.report ?? {};
    const [before, apply] = ['snapshot', 'apply'].map((name) => phases.find((phase) => phase.name === name));
    expect(before?.endMs).toBeLessThanOrEqual(apply?.startMs ?? 0);
    expect(only(changed).name).toBe('consul-consul.snap.age');
  });

  it('is not taken in vain: where it is asked for and impossible, nothing is changed', async () => {
    // As a version before this one deployed its servers.
    await kubectl('-n', namespace, 'exec', 'consul-server-0', '--', 'rm', '-r', '/consul/data/tmp');
    const destroy = {
      ...given,
      mode: 'destroy',
      confirm: 'consul',
      snapshot: 'always',
      'snapshot-key': recipient,
    };
    const outcome = await deploy(destroy);
    expectRed(outcome, 'snapshot', 'Consul is not removed');
    expect(outcome.report?.failure?.hint).toContain('deploy once with this version');
    expect(outcome.outputs.changed).toBe('false');
    expect(await consul<string[]>(await server(), '/v1/kv/app?keys')).toHaveLength(50);
  });

  it('brings all of it back after a rebuild under a writer: destroyed with its data, deployed anew, restored', async () => {
    const destroy = {
      ...given,
      ...{ mode: 'destroy', confirm: 'consul', 'destroy-data': 'true', 'snapshot-key': identity },
    };
    await kubectl('-n', namespace, 'exec', 'consul-server-0', '--', 'mkdir', '/consul/data/tmp');
    const elsewhere = { Node: 'elsewhere', Address: '192.0.2.7', Service: { Service: 'mail', Port: 25 } };
    await consul(await server(), '/v1/catalog/register', { method: 'PUT', body: JSON.stringify(elsewhere) });
    let written: string[] = [];
    const { value: destroyed } = await underTraffic({ namespace, prefix: 'rebuild' }, async () => {
      written = await eventually('a hundred keys', 30_000, async () => {
        const found = await keys(await server(), 'rebuild');
        return found.length >= 100 ? found : undefined;
      });
      return deploy(destroy);
    });
    expect(destroyed.code, destroyed.log).toBe(0);
    const { bytes } = only(destroyed);
    const deployed = await deploy(given);
    expect(deployed.code, deployed.log).toBe(0);
    expect(await keys(await server(), '')).toEqual([]);

    const inputs = {
      ...given,
      mode: 'restore',
      restore: 'kept.age',
      confirm: 'consul',
      'snapshot-key': identity,
    };
    const outcome = await start(inputs, {}, (workspace) => {
      writeFileSync(join(workspace, 'kept.age'), bytes);
      return () => undefined;
    }).outcome;
    expect(outcome.code, outcome.log).toBe(0);
    // The agents have other ids than those of the snapshot, under the same names.
    expect(check(outcome, 'restore-nodes').observed).toContain('in place of the snapshot');
    const ip = await server();
    expect(await consul<string[]>(ip, '/v1/kv/app?keys')).toHaveLength(50);
    // What was written before the destroy began.
    const back = new Set(await keys(ip, 'rebuild'));
    expect(written.filter((key) => !back.has(key))).toEqual([]);
    expect(await consul<unknown[]>(ip, '/v1/catalog/service/mail')).toHaveLength(1);
    const nodes = await consul<{ Node: string; ID: string }[]>(ip, '/v1/catalog/nodes');
    const alive = await members(ip);
    expect(nodes.map(({ Node }) => Node).sort()).toEqual(['consul-client-0', 'consul-server-0', 'elsewhere']);
    const ours = nodes.filter(({ Node }) => Node !== 'elsewhere');
    expect(new Map(ours.map(({ Node, ID }) => [Node, ID]))).toEqual(
      new Map(alive.map(({ Name, Tags }) => [Name, Tags.id])),
    );
  });
});
