import { describe, expect, test } from 'vitest';
import { type TlsFiles, tlsFilesOf } from '../../../src/manifests/tls.ts';
import { walkTls } from '../../../src/steps/encryption/tls-walk.ts';
import { hurried } from '../hurried.ts';
import { EncryptionWorld } from './encryption-world.ts';
import { tlsFiles, tlsGoal, tlsSecrets } from './tls-files.ts';

const RESTARTS = ['restart consul-server-1', 'restart consul-server-2', 'restart consul-server-0'];
const RELOADS = {
  servers: [0, 1, 2].map((at) => `reload consul-server-${at}`),
  clients: [0, 1].map((at) => `reload consul-client-${at}`),
};
const WRITES = ['write consul-client-tls', 'write consul-server-tls'];
const OFF = tlsGoal({ goal: 'off' });

/** A cluster whose agents have read these files when they started, and the first three letters of all that happens then. */
async function cluster(files: TlsFiles): Promise<EncryptionWorld> {
  return EncryptionWorld.start({}, { secrets: tlsSecrets(files) });
}

/** Within one step agents may come in any order, but servers before clients. */
function inSteps(made: EncryptionWorld): string[] {
  const steps: string[][] = [];
  let last = '';
  for (const event of made.happened('write', 'restart', 'reload')) {
    const kind = event.startsWith('reload') ? event.slice(0, 'reload consul-s'.length) : event;
    if (kind !== last) steps.push([]);
    last = kind;
    steps.at(-1)?.push(event);
  }
  return steps.flatMap((step) => step.toSorted());
}

const stateOf = (made: EncryptionWorld) => {
  const secret = made.secret('consul-server-tls');
  return secret && tlsFilesOf(secret)?.state;
};

describe('RPC of a cluster that runs is taken to TLS', () => {
  test('and at each moment all agents understand each other', async () => {
    const made = await EncryptionWorld.start();
    const files = await walkTls(made.run, tlsGoal(), undefined, made.tools);
    expect(made.broken).toEqual([]);
    expect(inSteps(made)).toEqual([
      ...[...WRITES, ...RESTARTS],
      // All servers before the first client, which every server has to be able to answer.
      ...[...WRITES, ...RELOADS.servers, ...RELOADS.clients],
      // The leader went last the first time; now another leads.
      ...[...WRITES, 'restart consul-server-0', 'restart consul-server-2', 'restart consul-server-1'],
    ]);
    expect(files).toMatchObject({ state: 'enforced', goal: 'enforced', revision: 3 });
    expect(stateOf(made)).toBe('enforced');
    for (const { tls, isServer } of made.agents)
      expect(tls).toMatchObject({ outgoing: true, incoming: isServer });
  });

  test('from where a run before was ended, and those that are there already are left alone', async () => {
    const made = await cluster(tlsFiles({ state: 'present' }));
    const files = tlsFiles({ state: 'outgoing', revision: 6 });
    made.api.put(...tlsSecrets(files));
    const ahead = made.agent('consul-server-2');
    made.mount(ahead);
    made.load(ahead, { isStart: false });
    await walkTls(made.run, tlsGoal({ files }), files, made.tools);
    expect(made.broken).toEqual([]);
    expect(ahead).toMatchObject({ reloads: 0, restarts: 1 });
    expect(made.agents.map(({ reloads }) => reloads)).toEqual([1, 1, 0, 1, 1]);
  });

  test('where all are there nothing is written, and nobody restarts', async () => {
    const made = await cluster(tlsFiles());
    const files = tlsFiles();
    expect(await walkTls(made.run, tlsGoal({ files }), files, made.tools)).toBe(files);
    expect(made.events).toEqual([]);
  });

  test.each([
    ['of a cluster that has just begun', tlsGoal({ isNew: true })],
    ['that nobody has asked about', tlsGoal({ goal: 'as-it-is' })],
    ['that the configuration of the agents says', tlsGoal({ goal: 'own' })],
  ])('not RPC %s', async (_, goal) => {
    const made = await EncryptionWorld.start();
    expect(await walkTls(made.run, goal, undefined, made.tools)).toBeUndefined();
    expect(made.events).toEqual([]);
  });

  test('one server that takes plaintext is restarted, alone', async () => {
    const made = await cluster(tlsFiles());
    const files = tlsFiles();
    made.relax(made.agent('consul-server-1'));
    await walkTls(made.run, tlsGoal({ files }), files, made.tools);
    expect(made.happened('restart', 'reload')).toEqual(['restart consul-server-1']);
    expect(made.agent('consul-server-1').tls.incoming).toBe(true);
  });

  test('not where servers of another datacenter would be refused', async () => {
    const made = await EncryptionWorld.start();
    made.datacenters = ['dc1', 'dc2'];
    await expect(walkTls(made.run, tlsGoal(), undefined, made.tools)).rejects.toMatchObject({
      reason: 'certificate',
      what: expect.stringContaining('the servers of dc2 speak to these'),
      hint: expect.stringContaining('Nothing was changed'),
    });
    expect(made.happened('write')).toEqual([]);
  });

  test('not where that would cut off an agent outside of Kubernetes', async () => {
    const made = await EncryptionWorld.start();
    made.world.outside = { 'vm-1': '192.0.2.1' };
    hurried();
    await expect(walkTls(made.run, tlsGoal(), undefined, made.tools)).rejects.toMatchObject({
      reason: 'unfit-cluster',
      details: ['vm-1 (192.0.2.1)'],
    });
    expect(made.happened('write', 'restart', 'reload')).toEqual([]);
  });

  test('not without the permission that it takes', async () => {
    const made = await EncryptionWorld.start();
    made.denied = ['create pods/exec'];
    await expect(walkTls(made.run, tlsGoal(), undefined, made.tools)).rejects.toMatchObject({
      reason: 'forbidden',
    });
    expect(made.happened('write')).toEqual([]);
  });

  test('not while an agent is away, which would be cut off', async () => {
    const made = await EncryptionWorld.start();
    made.world.tell({ ...made.agent('consul-client-1').pod, ready: false });
    hurried(200);
    await expect(walkTls(made.run, tlsGoal(), undefined, made.tools)).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringMatching(/^TLS cannot be changed while not every agent is there: .*consul-client-1/),
    });
    expect(made.happened('write')).toEqual([]);
  });

  test('until an agent that reloads stays as it was, which is named', async () => {
    const made = await cluster(tlsFiles({ state: 'present' }));
    const files = tlsFiles({ state: 'present' });
    made.before = (pod, { path }) =>
      pod === 'consul-client-0' && path === '/v1/agent/reload' ? { text: '' } : undefined;
    hurried();
    await expect(walkTls(made.run, tlsGoal({ files }), files, made.tools)).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringContaining('is not "outgoing" after 30 s'),
      where: 'Pod/consul-client-0',
    });
    expect(made.run.result().left).toContain('every agent understands the others');
    expect(made.broken).toEqual([]);
  });

  test('and a pod that goes meanwhile is not waited for: its successor starts with the files as they are', async () => {
    const made = await cluster(tlsFiles({ state: 'present' }));
    const files = tlsFiles({ state: 'present' });
    let isFirst = true;
    made.before = (pod, { path }) => {
      if (pod !== 'consul-client-1' || path !== '/v1/agent/reload' || !isFirst) return undefined;
      isFirst = false;
      made.replace(made.agent(pod));
      return { status: 500, text: 'it is about to end' };
    };
    await walkTls(made.run, tlsGoal({ files }), files, made.tools);
    expect(made.broken).toEqual([]);
    expect(made.happened('start')).toEqual(['start consul-client-1']);
    expect(made.agent('consul-client-1').tls.outgoing).toBe(true);
  });
});

describe('RPC is taken back to plaintext', () => {
  test('step by step, and in the end the Secrets are gone', async () => {
    const files = tlsFiles({ goal: 'off' });
    const made = await cluster(files);
    expect(await walkTls(made.run, { ...OFF, files }, files, made.tools)).toBeUndefined();
    expect(made.broken).toEqual([]);
    expect(inSteps(made)).toEqual([
      ...[...WRITES, ...RELOADS.servers],
      ...[...WRITES, ...RELOADS.servers, ...RELOADS.clients],
      ...[...WRITES, ...RESTARTS],
      // Removed.
      ...[...WRITES, 'write consul-ca'],
    ]);
    for (const name of ['consul-ca', 'consul-server-tls', 'consul-client-tls'])
      expect(made.secret(name)).toBeUndefined();
    for (const { tls } of made.agents) expect(tls).toMatchObject({ outgoing: false, incoming: false });
  });

  test('at once where the Secrets are gone, since nobody can go step by step', async () => {
    const made = await cluster(tlsFiles());
    for (const path of [...made.api.objects.keys()])
      if (path.includes('/secrets/')) made.api.objects.delete(path);
    expect(await walkTls(made.run, OFF, undefined, made.tools)).toBeUndefined();
    for (const { tls } of made.agents)
      expect(tls).toMatchObject({ outgoing: false, incoming: false, certificate: '' });
    expect(made.happened('restart')).toHaveLength(3);
  });

  test('not at once where that would cut off an agent outside of Kubernetes', async () => {
    const made = await cluster(tlsFiles());
    for (const path of [...made.api.objects.keys()])
      if (path.includes('/secrets/')) made.api.objects.delete(path);
    made.world.outside = { 'vm-1': '192.0.2.1' };
    hurried();
    await expect(walkTls(made.run, OFF, undefined, made.tools)).rejects.toMatchObject({
      reason: 'unfit-cluster',
    });
    expect(made.happened('write', 'reload')).toEqual([]);
  });

  test('also in one of several datacenters', async () => {
    const files = tlsFiles({ state: 'present', goal: 'off' });
    const made = await cluster(files);
    made.datacenters = ['dc1', 'dc2'];
    expect(await walkTls(made.run, { ...OFF, files }, files, made.tools)).toBeUndefined();
    expect(made.broken).toEqual([]);
  });

  test('where there was none nothing is done', async () => {
    const made = await EncryptionWorld.start();
    expect(await walkTls(made.run, OFF, undefined, made.tools)).toBeUndefined();
    expect(made.events).toEqual([]);
  });
});
