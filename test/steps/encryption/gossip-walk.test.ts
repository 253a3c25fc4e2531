import { describe, expect, test } from 'vitest';
import { type GossipFiles, gossipFilesOf, gossipSecret } from '../../../src/manifests/gossip.ts';
import { walkGossip } from '../../../src/steps/encryption/gossip-walk.ts';
import type { GossipGoal } from '../../../src/steps/encryption/settle-gossip.ts';
import { config } from '../../session/fixture.ts';
import { hurried } from '../hurried.ts';
import { EncryptionWorld } from './encryption-world.ts';

const KEY = Buffer.alloc(32, 1).toString('base64');

const goal = (change: Partial<GossipGoal>): GossipGoal => ({
  ...{ goal: 'strict', files: undefined, isNew: false, key: undefined, access: [] },
  ...change,
});
const files = (change: Partial<GossipFiles>): GossipFiles => ({
  ...{ keys: [KEY], state: 'strict', goal: 'strict', revision: 4 },
  ...change,
});

describe('gossip of a cluster that runs', () => {
  test('is encrypted in three steps, and at each moment all agents understand each other', async () => {
    const made = await EncryptionWorld.start();
    const done = await walkGossip(made.run, goal({}), made.tools);
    expect(made.broken).toEqual([]);
    expect(done).toMatchObject({ state: 'strict', revision: 3 });
    expect(made.agents.map(({ restarts }) => restarts)).toEqual([3, 3, 3, 3, 3]);
    expect(made.happened('write')).toHaveLength(3);
    for (const { gossip } of made.agents) expect(gossip).toMatchObject({ sends: true, strict: true });
    const stored = gossipFilesOf(made.secret('consul-gossip') ?? expect.fail());
    expect(stored?.keys.map((key) => Buffer.from(key, 'base64').length)).toEqual([32]);
  });

  test('goes on from where each agent is seen to be', async () => {
    const secret = gossipSecret(config(), files({ state: 'sending' }));
    const made = await EncryptionWorld.start({}, { secrets: [secret] });
    const found = files({ state: 'strict', revision: 5 });
    made.api.put(gossipSecret(config(), found));
    const ahead = made.agent('consul-client-0');
    made.mount(ahead);
    made.load(ahead, { isStart: true });
    await walkGossip(made.run, goal({ files: found }), made.tools);
    expect(made.broken).toEqual([]);
    expect(made.agents.map(({ restarts }) => restarts)).toEqual([1, 1, 1, 0, 1]);
  });

  test('makes no step while an agent is away, which would be cut off', async () => {
    const made = await EncryptionWorld.start();
    made.world.tell({ ...made.agent('consul-client-1').pod, ready: false });
    hurried(200);
    await expect(walkGossip(made.run, goal({}), made.tools)).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringMatching(/^gossip cannot be changed while .*consul-client-1/),
    });
    expect(made.happened('write', 'restart')).toEqual([]);
  });

  test.each(['strict', 'off'] as const)(
    'is not taken to "%s" where that would cut off an agent outside of Kubernetes',
    async (to) => {
      const found = to === 'off' ? files({ goal: 'off' }) : undefined;
      const made = await EncryptionWorld.start({}, { secrets: found ? [gossipSecret(config(), found)] : [] });
      made.world.outside = { 'vm-1': '192.0.2.1' };
      hurried();
      await expect(walkGossip(made.run, goal({ goal: to, files: found }), made.tools)).rejects.toMatchObject({
        reason: 'unfit-cluster',
        hint: expect.stringContaining('`consul leave`'),
        details: ['vm-1 (192.0.2.1)'],
      });
      expect(made.happened('write', 'restart')).toEqual([]);
    },
  );

  test('is finished where the Secret says already that all are strict, whoever is outside', async () => {
    const made = await EncryptionWorld.start({}, { secrets: [gossipSecret(config(), files({}))] });
    made.world.outside = { 'vm-1': '192.0.2.1' };
    const behind = made.agent('consul-client-0');
    behind.files.gossip = { ...behind.files.gossip, 'gossip.json': '{"encrypt_verify_incoming":false}' };
    made.load(behind, { isStart: true });
    await walkGossip(made.run, goal({ files: files({}) }), made.tools);
    expect(made.happened('restart')).toEqual(['restart consul-client-0']);
  });

  test('is taken back the same way, and in the end the Secret is gone', async () => {
    const found = files({ goal: 'off' });
    const made = await EncryptionWorld.start({}, { secrets: [gossipSecret(config(), found)] });
    expect(await walkGossip(made.run, goal({ goal: 'off', files: found }), made.tools)).toBeUndefined();
    expect(made.broken).toEqual([]);
    expect(made.agents.map(({ restarts }) => restarts)).toEqual([3, 3, 3, 3, 3]);
    expect(made.secret('consul-gossip')).toBeUndefined();
  });
});
