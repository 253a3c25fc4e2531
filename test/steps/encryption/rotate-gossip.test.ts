import { describe, expect, test } from 'vitest';
import { type GossipFiles, gossipFilesOf, gossipSecret } from '../../../src/manifests/gossip.ts';
import { rotateGossip } from '../../../src/steps/encryption/rotate-gossip.ts';
import type { GossipGoal } from '../../../src/steps/encryption/settle-gossip.ts';
import { config } from '../../session/fixture.ts';
import { hurried } from '../hurried.ts';
import { EncryptionWorld } from './encryption-world.ts';

const [OLD, NEW] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64')) as [string, string];
const KEYRING = '/v1/operator/keyring';
const goal = (change: Partial<GossipGoal> = {}): GossipGoal => ({
  ...{ goal: 'strict', files: undefined, isNew: false, key: NEW, access: [] },
  ...change,
});
const files = (change: Partial<GossipFiles> = {}): GossipFiles => ({
  ...{ keys: [OLD], state: 'strict', goal: 'strict', revision: 4 },
  ...change,
});

/** All agents have read these files when they started, and their keyrings are as the run before has left them. */
async function cluster(found = files(), keys = found.keys, rotate: 'gossip'[] = ['gossip']) {
  const made = await EncryptionWorld.start({ rotate }, { secrets: [gossipSecret(config(), found)] });
  for (const { gossip } of made.agents) gossip.keys = [...keys];
  return { made, go: (to = goal()) => rotateGossip(made.run, found, to, made.tools) };
}

function expectRotated(made: EncryptionWorld): void {
  expect(made.broken).toEqual([]);
  for (const { gossip, files: found } of made.agents) {
    expect(gossip.keys).toEqual([NEW]);
    expect(found.gossip.keyring).toBe(JSON.stringify([NEW]));
  }
  const secret = gossipFilesOf(made.secret('consul-gossip') ?? expect.fail());
  expect(secret).toMatchObject({ keys: [NEW], state: 'strict' });
  expect(secret?.rotation).toBeUndefined();
  expect(made.happened('restart')).toEqual([]);
}

describe('the key of gossip', () => {
  test('is changed while all run, and whoever starts meanwhile understands the others', async () => {
    const { made, go } = await cluster();
    await go();
    expectRotated(made);
    expect(made.happened('install', 'use', 'remove')).toEqual(['install', 'use', 'remove']);
  });

  test('is one that the action makes, where none is given', async () => {
    const { made, go } = await cluster();
    await go(goal({ key: undefined }));
    expect(made.broken).toEqual([]);
    const [key = ''] = made.agents[0]?.gossip.keys ?? [];
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    expect(key).not.toBe(OLD);
  });

  test.each([
    ['added', files({ keys: [OLD, NEW], rotation: 'add' }), [OLD]],
    ['added to all', files({ keys: [OLD, NEW], rotation: 'add' }), [OLD, NEW]],
    ['used', files({ keys: [NEW, OLD], rotation: 'use' }), [OLD, NEW]],
    ['left alone', files({ keys: [NEW], rotation: 'remove' }), [NEW, OLD]],
  ])('is finished by a run that nobody has told, where it was to be %s', async (_, found, keys) => {
    const { made, go } = await cluster(found, keys, []);
    await go(goal({ key: undefined }));
    expectRotated(made);
  });

  test('is not changed where it is the given one already', async () => {
    const { made, go } = await cluster();
    await go(goal({ key: OLD }));
    expect(made.events).toEqual([]);
  });

  test.each([
    ['not encrypted', goal({ goal: 'off' })],
    ['new, and begins with a key of its own', goal({ isNew: true })],
  ])('is not changed in a cluster that is %s', async (_, to) => {
    const { made, go } = await cluster();
    await go(to);
    expect(made.events).toEqual([]);
  });

  test('is not changed where another datacenter has it, too', async () => {
    const { made, go } = await cluster();
    made.before = (_, { path }) => {
      if (path !== KEYRING) return undefined;
      const ring = { WAN: false, Segment: '', Keys: { [OLD]: 3 }, PrimaryKeys: { [OLD]: 3 }, NumNodes: 3 };
      return {
        body: [
          { ...ring, Datacenter: 'dc1' },
          { ...ring, Datacenter: 'dc2' },
        ],
      };
    };
    await expect(go()).rejects.toMatchObject({
      reason: 'gossip-key',
      what: expect.stringContaining('since dc2 has it, too'),
    });
    expect(made.happened('write')).toEqual([]);
  });

  test('is not changed while an agent is away, which would come back with a key that nobody has', async () => {
    const { made, go } = await cluster();
    made.world.tell({ ...made.agent('consul-client-1').pod, ready: false });
    hurried(100);
    await expect(go()).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringContaining('consul-client-1'),
    });
    expect(made.happened('write', 'install')).toEqual([]);
  });

  test('is not changed where an agent outside of Kubernetes has it, too', async () => {
    const { made, go } = await cluster();
    made.world.outside = { 'vm-1': '192.0.2.1' };
    hurried();
    await expect(go()).rejects.toMatchObject({ reason: 'unfit-cluster', details: ['vm-1 (192.0.2.1)'] });
    expect(made.happened('write', 'install')).toEqual([]);
  });

  test('is not waited for without end where other agents answer than there are pods, and they are named', async () => {
    const { made, go } = await cluster();
    made.before = (_, { method, path }) => {
      if (path !== KEYRING || method !== 'GET' || !made.events.includes('install')) return undefined;
      // It joins while the rotation is under way.
      made.world.outside = { 'vm-1': '192.0.2.1' };
      const ring = { Segment: '', Datacenter: 'dc1' };
      const counts = (all: number) => ({
        Keys: { [OLD]: all, [NEW]: all },
        PrimaryKeys: { [OLD]: all },
        NumNodes: all,
      });
      return {
        body: [
          { WAN: false, ...ring, ...counts(6) },
          { WAN: true, ...ring, ...counts(3) },
        ],
      };
    };
    hurried(100);
    await expect(go()).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringContaining('every agent has the new key'),
      details: expect.arrayContaining(['vm-1 (192.0.2.1) is a member and no pod']),
    });
    expect(made.broken).toEqual([]);
  });

  test('is asked for again where some agents have not answered, and the next step waits for all of them', async () => {
    const { made, go } = await cluster();
    let [refusals, thin] = [1, 2];
    made.before = (_, { method, path }) => {
      if (path !== KEYRING) return undefined;
      if (method === 'PUT' && refusals-- > 0) return { status: 500, text: '4/5 nodes reported success' };
      // One is not counted yet: what it has is not known.
      const isInstalled = made.events.includes('install') && !made.events.includes('use');
      if (method !== 'GET' || !isInstalled || thin-- <= 0) return undefined;
      expect(made.events).not.toContain('use');
      const ring = { Segment: '', Datacenter: 'dc1' };
      const counts = (all: number) => ({
        Keys: { [OLD]: all, [NEW]: all },
        PrimaryKeys: { [OLD]: all },
        NumNodes: all,
      });
      return {
        body: [
          { WAN: false, ...ring, ...counts(4) },
          { WAN: true, ...ring, ...counts(3) },
        ],
      };
    };
    await go();
    expect([refusals, thin]).toEqual([-1, -1]);
    expectRotated(made);
  });
});
