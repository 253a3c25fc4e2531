import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { refuseOutsideAgentsBefore } from '../../../src/steps/encryption/outside.ts';
import type { GossipGoal } from '../../../src/steps/encryption/settle-gossip.ts';
import type { TlsGoal } from '../../../src/steps/encryption/settle-tls.ts';
import { hurried } from '../hurried.ts';
import { EncryptionWorld } from './encryption-world.ts';
import { tlsFiles, tlsGoal } from './tls-files.ts';

const GOSSIP: GossipGoal = { goal: 'as-it-is', files: undefined, isNew: false, key: undefined, access: [] };
const KEY = Buffer.alloc(32, 1).toString('base64');
const STRICT: GossipGoal['files'] = { keys: [KEY], state: 'strict', goal: 'strict', revision: 4 };
const THERE = tlsGoal({ files: tlsFiles() });

async function looked(
  { gossip = GOSSIP, tls = THERE }: { gossip?: GossipGoal; tls?: TlsGoal },
  change: Partial<Config> = {},
) {
  const made = await EncryptionWorld.start(change);
  made.world.outside = { 'vm-1': '192.0.2.1' };
  hurried();
  return { made, looking: refuseOutsideAgentsBefore(made.run, made.tools, { gossip, tls }) };
}

test.each<[string, Parameters<typeof looked>[0], Partial<Config>]>([
  ['gossip is to be encrypted', { gossip: { ...GOSSIP, goal: 'strict' } }, {}],
  ['gossip is to be plain again', { gossip: { ...GOSSIP, goal: 'off', files: STRICT } }, {}],
  ['RPC is to speak TLS', { tls: tlsGoal() }, {}],
  [
    'another key is asked for',
    { gossip: { ...GOSSIP, goal: 'strict', files: STRICT } },
    { rotate: ['gossip'] },
  ],
  ['another authority is asked for', {}, { rotate: ['ca'] }],
])('before the first write agents outside of Kubernetes are named where %s', async (_, goals, change) => {
  const { looking } = await looked(goals, change);
  await expect(looking).rejects.toMatchObject({
    reason: 'unfit-cluster',
    what: expect.stringContaining('would be cut off'),
    details: ['vm-1 (192.0.2.1)'],
  });
});

test.each<[string, Parameters<typeof looked>[0]]>([
  ['nothing is to change', {}],
  ['the cluster has just begun', { tls: tlsGoal({ isNew: true }) }],
  ['all are there already', { gossip: { ...GOSSIP, goal: 'strict', files: STRICT } }],
  ['the Secret alone is to come back', { gossip: { ...GOSSIP, goal: 'strict', seen: 'strict' } }],
])('they may stay where %s', async (_, goals) => {
  const { looking } = await looked(goals);
  await looking;
});

test('they may stay where the key that all agents have only goes into the Secret', async () => {
  const { made, looking } = await looked({ gossip: { ...GOSSIP, goal: 'strict' } });
  for (const { gossip } of made.agents) gossip.keys = [KEY];
  await looking;
});

test('they are named where that key is rotated by the same deploy', async () => {
  const gossip = { ...GOSSIP, goal: 'strict' } as const;
  const { made, looking } = await looked({ gossip }, { rotate: ['gossip'] });
  for (const agent of made.agents) agent.gossip.keys = [KEY];
  await expect(looking).rejects.toMatchObject({
    reason: 'unfit-cluster',
    details: ['vm-1 (192.0.2.1)'],
  });
});

test('a deploy that may bring the servers back is not refused where none tells', async () => {
  const { made, looking } = await looked({ tls: tlsGoal() });
  made.before = () => ({ status: 500, text: 'no' });
  await looking;
});
