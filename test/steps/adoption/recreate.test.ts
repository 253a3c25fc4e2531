import { describe, expect, it } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Stored } from '../../../src/session/stored.ts';
import { recreate } from '../../../src/steps/adoption/recreate.ts';
import { answerAggregated } from '../../kubernetes/fake-discovery.ts';
import { connectTo, json, signal, startServer, status } from '../../kubernetes/fake-server.ts';
import { startRun } from '../../session/fixture.ts';

const set = (uid?: string): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'consul-server', namespace: 'consul', ...(uid !== undefined && { uid }) },
  spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } },
});

/** @param looks how often the old one is still there after its removal; `refused` when it may not be removed */
async function recreated(change: Partial<PlannedObject>, looks: number | 'refused' = 0) {
  let left = looks;
  const api = await startServer((call, response) => {
    if (answerAggregated(call, response)) return;
    if (call.method === 'PATCH')
      return json(response, 201, { ...JSON.parse(call.body), metadata: { uid: 'new' } });
    if (left === 'refused') return status(response, 403, { message: 'no' });
    if (call.method === 'DELETE') return json(response, 200, { kind: 'Status', status: 'Success' });
    if (left === 0) return status(response, 404, { reason: 'NotFound' });
    left -= 1;
    json(response, 200, set('old'));
  });
  const transport = await connectTo(api.url);
  const cluster = { transport, discovery: await Discovery.load(transport, signal()) };
  const { run } = startRun();
  const stored: Stored = new Map();
  const planned: PlannedObject = {
    desired: set(),
    predicted: set(),
    action: 'recreate',
    force: false,
    unverified: false,
    ...change,
  };
  const done = recreate(run, cluster, planned, stored);
  const calls = () => api.calls.filter(({ path }) => path.endsWith('/consul-server'));
  return { done, run, stored, calls };
}

describe('a StatefulSet that is recreated around its pods', () => {
  it('is removed without them, by its uid, and applied only when it is gone', async () => {
    const { done, run, stored, calls } = await recreated({ live: set('old'), adopting: 'if-unowned' }, 2);
    await done;
    expect(calls().map(({ method }) => method)).toEqual(['DELETE', 'GET', 'GET', 'GET', 'PATCH']);
    expect(JSON.parse(calls()[0]?.body ?? '')).toMatchObject({
      propagationPolicy: 'Orphan',
      preconditions: { uid: 'old' },
    });
    const applied = JSON.parse(calls().at(-1)?.body ?? '');
    expect(applied.spec).toEqual({ replicas: 3, updateStrategy: { type: 'OnDelete' } });
    expect(applied.metadata.annotations).toEqual({ 'consul-deploy/takeover': 'under way' });
    expect([...stored.values()].map(({ metadata }) => metadata.uid)).toEqual(['new']);
    expect(run.known.objects).toEqual([
      { kind: 'StatefulSet', namespace: 'consul', name: 'consul-server', action: 'recreated' },
    ]);
  });

  it('is only applied where a run before has removed it, or where it need not be removed', async () => {
    const orphans = await recreated({ action: 'create' });
    await orphans.done;
    expect(orphans.calls().map(({ method }) => method)).toEqual(['PATCH']);
    const inPlace = await recreated({ action: 'change', live: set('old') });
    await inPlace.done;
    expect(inPlace.calls().map(({ method }) => method)).toEqual(['PATCH']);
  });

  it('stays as it is when it may not be removed', async () => {
    const { done, run, calls } = await recreated({ live: set('old') }, 'refused');
    await expect(done).rejects.toMatchObject({ reason: 'forbidden' });
    expect(calls().map(({ method }) => method)).toEqual(['DELETE']);
    expect(run.known.changed).toBe(false);
    expect(run.result().left).toBe('Nothing was changed.');
  });
});
