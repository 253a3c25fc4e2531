import { expect, it } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { previewTakeovers } from '../../../src/steps/adoption/preview.ts';
import { startCluster, startRun } from '../../session/fixture.ts';
import { tlsGoal } from '../encryption/tls-files.ts';

const set: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'consul-server', namespace: 'consul' },
  spec: { replicas: 3, selector: { matchLabels: { app: 'consul', 'consul-role': 'server' } } },
};

const goals = {
  gossip: { goal: 'as-it-is', files: undefined, isNew: false, key: undefined, access: [] } as const,
  tls: tlsGoal({ goal: 'as-it-is' }),
};

const planned = (change: Partial<PlannedObject>): PlannedObject => ({
  desired: set,
  live: set,
  predicted: set,
  action: 'recreate',
  force: false,
  unverified: false,
  ...change,
});

it('a plan that takes nothing over asks nothing', async () => {
  const { cluster, api } = await startCluster();
  const before = api.calls.length;
  await previewTakeovers(startRun().run, cluster, [planned({ action: 'change' })], goals);
  expect(api.calls.length).toBe(before);
});

it('a plan without the permission to look at what it takes over says so', async () => {
  const { cluster } = await startCluster({ denied: ['create pods'] });
  const { run } = startRun();
  await previewTakeovers(run, cluster, [planned({})], goals);
  expect(run.known.warnings).toEqual([expect.stringMatching(/that needs create pods\/portforward/)]);
});

it('a plan refuses a takeover that a deploy would refuse', async () => {
  const { cluster } = await startCluster();
  const previewed = previewTakeovers(startRun().run, cluster, [planned({})], goals);
  await expect(previewed).rejects.toMatchObject({
    reason: 'adoption',
    what: expect.stringMatching(/consul-server has no pods with the labels/),
  });
});
