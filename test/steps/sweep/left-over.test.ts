import { expect, test } from 'vitest';
import { checkLeftOver } from '../../../src/steps/sweep/left-over.ts';
import { type FakeCluster, fakeCluster } from './fake-cluster.ts';

function look({ run, cluster, agents }: FakeCluster): Promise<void> {
  return checkLeftOver(run, cluster, agents);
}

function found({ run }: FakeCluster) {
  const { checks, warnings } = run.result();
  return { statuses: checks.map(({ id, status }) => [id, status]), warnings };
}

const PASSED = [
  ['members-left-over', 'passed'],
  ['services-left-over', 'passed'],
];

test('a look for left-overs that meets an election looks again', async () => {
  const fake = await fakeCluster(['consul-client-0']);
  let elections = 1;
  fake.world.leaderless = (path) => path === '/v1/catalog/nodes' && elections-- > 0;
  await look(fake);
  expect(found(fake)).toEqual({ statuses: PASSED, warnings: [] });
});

test('a look for left-overs looks again while no server names a leader', async () => {
  const fake = await fakeCluster([]);
  let elections = 3;
  fake.world.leaderless = (path) => path === '/v1/status/leader' && elections-- > 0;
  await look(fake);
  expect(found(fake)).toEqual({ statuses: PASSED, warnings: [] });
});

test('left-overs that cannot be looked for are a concern, with why, and fail nothing', async () => {
  const fake = await fakeCluster(['consul-client-0']);
  fake.world.refused = (path) => path === '/v1/catalog/nodes';
  await look(fake);
  const { statuses, warnings } = found(fake);
  expect(statuses).toEqual([
    ['members-left-over', 'warning'],
    ['services-left-over', 'warning'],
  ]);
  expect(warnings[0]).toMatch(/^No left-over members: not looked for: .*\/v1\/catalog\/nodes answered 403/);
});

test('the end of the run ends a look for left-overs', async () => {
  const fake = await fakeCluster([]);
  fake.world.leaderless = () => true;
  const looking = look(fake);
  fake.run.cancel('SIGINT');
  await expect(looking).rejects.toThrow('cancelled');
});
