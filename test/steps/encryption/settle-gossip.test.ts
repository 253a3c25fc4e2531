import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { gossipSecret } from '../../../src/manifests/gossip.ts';
import { render } from '../../../src/manifests/render.ts';
import {
  type GossipGoal,
  recordedGossip,
  settleGossip,
  tellGossipPlan,
  wantedGossip,
} from '../../../src/steps/encryption/settle-gossip.ts';
import { runRecord } from '../../inventory/fixture.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { type Instead, startFakeApi } from '../../session/fake-api.ts';
import { config, startRun } from '../../session/fixture.ts';

const KEY = Buffer.alloc(32, 1).toString('base64');
const OTHER = Buffer.alloc(32, 2).toString('base64');
const SERVERS = render(config()).find(({ kind }) => kind === 'StatefulSet') as KubernetesObject;
const secret = (goal: 'off' | 'strict') =>
  gossipSecret(config(), { keys: [KEY], state: 'sending', goal, revision: 2 });
const own = (key: string | undefined, name = 'our-key'): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'consul' },
  data: key === undefined ? {} : { key: Buffer.from(key).toString('base64') },
});

async function settle(
  change: Partial<Config>,
  objects: readonly KubernetesObject[],
  { last, instead }: { last?: 'strict' | 'plaintext'; instead?: Instead } = {},
) {
  const { cluster, put } = await startFakeApi(instead);
  put(...objects);
  const { run } = startRun(change);
  const history = last ? [{ ...runRecord(), gossip: last }, runRecord()] : [];
  return settleGossip(run, cluster, { inventory: { history } });
}

describe('what gossip is to be', () => {
  test.each([
    ['a new cluster', 'auto', [], 'strict'],
    ['a new cluster, without', 'false', [], 'off'],
    ['a new cluster that finds its key again', 'auto', [secret('off')], 'strict'],
    ['one that runs', 'auto', [SERVERS], 'as-it-is'],
    ['one that runs, and is to be encrypted', 'true', [SERVERS], 'strict'],
    ['one that is on its way there', 'auto', [SERVERS, secret('strict')], 'strict'],
    ['one that is on its way back', 'auto', [SERVERS, secret('off')], 'off'],
    ['one that turns back', 'false', [SERVERS, secret('strict')], 'off'],
  ] as const)('%s (%s)', async (_, gossipEncryption, objects, goal) => {
    const found = await settle({ gossipEncryption }, objects);
    expect(found.goal).toBe(goal);
    expect(found.isNew).toBe(!(objects as readonly KubernetesObject[]).includes(SERVERS));
  });

  test('stays encrypted where it was seen so, also when somebody has removed its Secret', async () => {
    expect(await settle({}, [SERVERS], { last: 'strict' })).toMatchObject({ goal: 'strict', seen: 'strict' });
    expect((await settle({}, [SERVERS], { last: 'plaintext' })).goal).toBe('as-it-is');
  });

  test.each(['{"encrypt":"x"}', 'encrypt = "x"'])(
    'what the user configures is used as it is: %s',
    async (text) => {
      const fragment = { format: 'json', text } as const;
      const found = await settle({ serverConfig: fragment }, [SERVERS]);
      expect(found).toMatchObject({ goal: 'own', access: [] });
      expect(wantedGossip({ config: config() }, found)).toBe('alike');
      await expect(settle({ clientConfig: fragment, rotate: ['gossip'] }, [])).rejects.toMatchObject({
        reason: 'gossip-key',
      });
      expect((await settle({ clientConfig: fragment, rotate: ['ca'] }, [])).goal).toBe('own');
    },
  );

  test('is proven as it was asked for, whoever is to do it', () => {
    for (const goal of ['own', 'strict', 'as-it-is'] as const)
      expect(wantedGossip({ config: config({ gossipEncryption: 'true' }) }, { goal })).toBe('strict');
  });

  test.each([
    ['agents run with it', [SERVERS, secret('strict')]],
    ['it is left of an earlier deployment', [secret('strict')]],
  ] as const)('is not left to the user where our Secret would win over it: %s', async (_, objects) => {
    const fragment = { format: 'json', text: '{"encrypt":"x"}' } as const;
    await expect(settle({ clientConfig: fragment }, objects)).rejects.toMatchObject({
      reason: 'gossip-key',
      where: 'Secret/consul-gossip in namespace consul',
      hint: expect.stringMatching(/`gossip-encryption: false`.*remove this Secret/),
    });
  });

  test('is not told by settings beside the key', async () => {
    const text = '{"encrypt_verify_incoming":false}';
    expect((await settle({ serverConfig: { format: 'json', text } }, [])).goal).toBe('strict');
  });
});

describe('a key of the user', () => {
  const GIVEN = { gossipKeySecret: 'our-key' };

  test('is read, and taken without the line break at its end', async () => {
    expect((await settle(GIVEN, [own(`${KEY}\n`)])).key).toBe(KEY);
  });

  test.each([
    ['no Secret', [], 'there is no such Secret'],
    ['no key', [own(undefined)], 'it has no `key`'],
    ['a short key', [own(Buffer.alloc(8).toString('base64'))], '16, 24 or 32 bytes'],
    ['a key that is no base64', [own('not a key')], '16, 24 or 32 bytes'],
  ] as const)('is refused: %s', async (_, objects, why) => {
    await expect(settle(GIVEN, objects)).rejects.toMatchObject({
      reason: 'gossip-key',
      what: expect.stringContaining(why),
      where: 'Secret/our-key in namespace consul',
      hint: expect.stringContaining('Nothing was changed'),
    });
  });

  test('that the agents do not have needs a rotation', async () => {
    const objects = [SERVERS, secret('strict'), own(OTHER)];
    for (const rotate of [[], ['ca']] as const)
      await expect(settle({ ...GIVEN, rotate }, objects)).rejects.toMatchObject({
        reason: 'gossip-key',
        hint: expect.stringContaining('`rotate: gossip`'),
      });
    for (const rotate of [['gossip'], ['gossip', 'ca']] as const)
      expect((await settle({ ...GIVEN, rotate }, objects)).key).toBe(OTHER);
  });
});

describe('a Secret that may not be read', () => {
  const refuses: Instead = ({ path }, response) => {
    if (!path.endsWith('/secrets/consul-gossip')) return undefined;
    status(response, 403, {});
    return true;
  };

  test('is told, and asked for with all else that is missing', async () => {
    const found = await settle({}, [SERVERS], { instead: refuses });
    expect(found.denied).toMatchObject({ reason: 'forbidden' });
    expect(found.access).toContainEqual(
      expect.objectContaining({ verb: 'get', resource: 'secrets', name: 'consul-gossip' }),
    );
  });

  test('is not asked for by a plan to be written', async () => {
    const { access } = await settle({ mode: 'plan' }, []);
    expect(access.map(({ verb }) => verb)).toEqual(['get']);
  });
});

test('a Secret that somebody has changed is refused, not overwritten', async () => {
  const broken = { ...secret('strict'), data: { keyring: 'eA==' } };
  await expect(settle({}, [SERVERS, broken])).rejects.toMatchObject({ reason: 'gossip-key' });
});

test.each([
  ['auto', 'strict', 'strict'],
  ['auto', 'plaintext', 'plaintext'],
  ['auto', 'takes-both', 'alike'],
  ['auto', undefined, 'alike'],
  ['true', 'plaintext', 'strict'],
  ['false', 'strict', 'plaintext'],
] as const)('a verification with %s after a run that saw %s wants %s', (gossipEncryption, gossip, wanted) => {
  const history = [{ ...runRecord(), ...(gossip && { gossip }) }];
  expect(recordedGossip({ config: config({ gossipEncryption }) }, { history })).toBe(wanted);
});

test.each<[Partial<GossipGoal>, RegExp]>([
  [{}, /^off → keyed → sending → strict: every agent restarts 3 times/],
  [{ seen: 'strict' }, /^stays encrypted; the key of the agents goes into its Secret$/],
  [{ seen: 'takes-both' }, /^sending → strict: every agent restarts 1 time/],
  [{ goal: 'off' }, /^not encrypted$/],
  [
    { goal: 'off', seen: 'strict' },
    /^encrypted when it was last seen, .* a deploy cannot take it back, and is red unless/,
  ],
])('a plan of %j without a Secret tells what will restart, by what the last run saw', (gossip, observed) => {
  const { run } = startRun();
  const none = { files: undefined, isNew: false, key: undefined, access: [] } as const;
  tellGossipPlan(run, { goal: 'strict', ...none, ...gossip });
  expect(run.result().checks.find(({ id }) => id === 'gossip-plan')?.observed).toMatch(observed);
});
