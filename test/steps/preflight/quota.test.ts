import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { render } from '../../../src/manifests/render.ts';
import { checkQuota } from '../../../src/steps/preflight/quota.ts';
import { type ClusterShape, startCluster, startRun } from '../../session/fixture.ts';

const quota = (hard: string, used: string, spec: object = {}, count = 'pods') => ({
  metadata: { name: 'small' },
  spec,
  status: { hard: { [count]: hard, 'requests.cpu': '1' }, used: { [count]: used, 'requests.cpu': '500m' } },
});

/** Of three servers and ten clients, as by default. */
async function check(shape: ClusterShape, change: Partial<Config> = {}) {
  const { run, lines } = startRun(change);
  const { cluster } = await startCluster(shape);
  return { mistakes: await checkQuota(run, cluster, render(run.config)), lines };
}

test.each<[string, ClusterShape, Partial<Config>, string[] | 'unneeded']>([
  ['none', {}, {}, 'unneeded'],
  ['one with room', { quotas: [quota('13', '0')] }, {}, []],
  [
    'one with room but for one',
    { quotas: [quota('13', '1')] },
    {},
    ['room for 12 more (pods), and 13 are missing'],
  ],
  ['one by kind', { quotas: [quota('3', '1', {}, 'count/pods')] }, {}, ['room for 2 more (count/pods)']],
  ['one that is overdrawn', { quotas: [quota('1', '5')] }, {}, ['room for 0 more']],
  ['one that counts our own pods', { quotas: [quota('13', '13')], occupied: Array(13).fill('a') }, {}, []],
  [
    'one that counts our own pods, on several pages',
    { quotas: [quota('13', '13')], occupied: Array(13).fill('a'), pageSize: 5 },
    {},
    [],
  ],
  ['one of another scope', { quotas: [quota('1', '0', { scopes: ['BestEffort'] })] }, {}, 'unneeded'],
  ['one of other things', { quotas: [quota('1', '0', {}, 'count/secrets')] }, {}, 'unneeded'],
  [
    'one that has room for as many as have to be there',
    { quotas: [quota('11', '0')] },
    { maxUnreadyClients: { kind: 'percent', percent: 20 } },
    [],
  ],
  ['one that clients on nodes do not count for', { quotas: [quota('3', '0')] }, { clients: 'daemonset' }, []],
])('a quota of the namespace: %s', async (_, shape, change, expected) => {
  const { mistakes } = await check(shape, change);
  if (expected === 'unneeded') return expect(mistakes).toBe('unneeded');
  expect(mistakes).toEqual(
    expected.map((words) => expect.stringContaining(`ResourceQuota/small has ${words}`)),
  );
});

test('quotas that may not be read are not looked at', async () => {
  const { mistakes, lines } = await check({ broken: { '/api/v1/namespaces/consul/resourcequotas': 403 } });
  expect(mistakes).toBeUndefined();
  expect(lines.join()).toContain('resourcequotas may not be listed');
});
