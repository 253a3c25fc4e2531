import { describe, expect, it } from 'vitest';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { findTakeovers, oldPod } from '../../../src/steps/adoption/takeover.ts';
import { answerAggregated } from '../../kubernetes/fake-discovery.ts';
import { connectTo, json, signal, startServer } from '../../kubernetes/fake-server.ts';
import { startRun } from '../../session/fixture.ts';

const LABELS = { app: 'consul', 'consul-role': 'server' };
const OWNER = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  name: 'consul-server',
  uid: 'old',
  controller: true,
};

const rawPod = (name: string, metadata = {}, container = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: `uid-${name}`, labels: LABELS, ownerReferences: [OWNER], ...metadata },
  spec: { containers: [{ name: 'consul', ...container }] },
  status: { phase: 'Running', podIP: '10.0.0.1' },
});

describe('a pod of the old cluster', () => {
  it.each([
    ['consul-server-0', 0],
    ['consul-server-12', 12],
  ])('has its ordinal: %s', (name, ordinal) => {
    expect(oldPod(rawPod(name), 'consul-server')?.ordinal).toBe(ordinal);
  });

  it.each(['consul-server-x', 'consul-server', 'consul-server-0-debug', 'other-0'])(
    'is another: %s',
    (name) => {
      expect(oldPod(rawPod(name), 'consul-server')).toBeUndefined();
    },
  );

  it('leaves, where it is told to before it ends', () => {
    const preStop = { exec: { command: ['/bin/sh', '-c', 'consul leave'] } };
    const leaving = rawPod('consul-server-0', {}, { lifecycle: { preStop } });
    expect(oldPod(leaving, 'consul-server')?.leaves).toBe(true);
    const other = { exec: { command: ['/bin/sleep', '5'] } };
    const staying = rawPod('consul-server-0', {}, { lifecycle: { preStop: other } });
    expect(oldPod(staying, 'consul-server')?.leaves).toBe(false);
    expect(oldPod(rawPod('consul-server-0'), 'consul-server')?.leaves).toBe(false);
  });

  it('is an orphan without a controller, and ours by its template', () => {
    expect(oldPod(rawPod('consul-server-0'), 'consul-server')).toMatchObject({ orphan: false, ours: false });
    const annotations = { 'consul-deploy/config-digest': 'abc' };
    const orphan = rawPod('consul-server-0', { ownerReferences: [], annotations });
    expect(oldPod(orphan, 'consul-server')).toMatchObject({ orphan: true, ours: true });
  });
});

const set = (annotations = {}, strategy = 'RollingUpdate'): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'consul-server', namespace: 'consul', annotations },
  spec: { selector: { matchLabels: LABELS }, updateStrategy: { type: strategy } },
});

async function found(planned: Partial<PlannedObject>, pods: KubernetesObject[]) {
  const api = await startServer((call, response) => {
    if (answerAggregated(call, response)) return;
    // In pages of one, so that a continuation is followed.
    const at = Number(call.query.get('continue') ?? 0);
    const more = at + 1 < pods.length ? { continue: String(at + 1) } : {};
    json(response, 200, { items: pods.slice(at, at + 1), metadata: more });
  });
  const transport = await connectTo(api.url);
  const cluster = { transport, discovery: await Discovery.load(transport, signal()) };
  const object: PlannedObject = {
    desired: set(),
    predicted: set(),
    action: 'none',
    force: false,
    unverified: false,
    ...planned,
  };
  const takeovers = await findTakeovers(startRun().run, cluster, { objects: [object] });
  const asked = api.calls.filter(({ path }) => path.endsWith('/pods'));
  return { takeovers, asked };
}

const PODS = [2, 0, 1].map((ordinal) => rawPod(`consul-server-${ordinal}`));

describe('what has to be taken over', () => {
  it('is a StatefulSet that cannot become what is desired, with its pods by ordinal', async () => {
    const { takeovers, asked } = await found(
      { action: 'recreate', live: set(), adopting: 'if-unowned' },
      PODS,
    );
    expect(takeovers).toMatchObject([{ role: 'server', state: 'fresh' }]);
    expect(takeovers[0]?.pods.map(({ name }) => name)).toEqual([
      'consul-server-0',
      'consul-server-1',
      'consul-server-2',
    ]);
    expect(asked).toHaveLength(3);
    expect(asked[0]?.query.get('labelSelector')).toBe('app=consul,consul-role=server');
  });

  it('is also one that could, and is not ours', async () => {
    const { takeovers } = await found({ action: 'change', live: set(), adopting: 'if-unowned' }, PODS);
    expect(takeovers).toMatchObject([{ state: 'fresh' }]);
  });

  it('is what a run before has begun: pods without a StatefulSet, or one that holds its pods', async () => {
    const orphans = PODS.map((pod) => ({ ...pod, metadata: { ...pod.metadata, ownerReferences: [] } }));
    expect((await found({ action: 'create' }, orphans)).takeovers).toMatchObject([{ state: 'unfinished' }]);
    const held = await found(
      { action: 'change', live: set({ 'consul-deploy/takeover': 'under way' }) },
      PODS,
    );
    expect(held.takeovers).toMatchObject([{ state: 'unfinished' }]);
  });

  it.each<[string, Partial<PlannedObject>]>([
    ['a first deploy', { action: 'create' }],
    ['a StatefulSet that stays as it is', { action: 'none', live: set() }],
    ['a change of what is ours', { action: 'change', live: set() }],
    ['a change of how its pods are replaced', { action: 'change', live: set({}, 'OnDelete') }],
  ])('is not %s', async (_, planned) => {
    expect((await found(planned, [])).takeovers).toEqual([]);
  });

  describe('where somebody else has applied what this action renders', () => {
    const annotations = { 'consul-deploy/config-digest': 'abc' };
    const live = (under = {}): KubernetesObject => {
      const made = set(under);
      return { ...made, spec: { ...(made.spec as object), template: { metadata: { annotations } } } };
    };
    const ours = PODS.map((pod) => ({ ...pod, metadata: { ...pod.metadata, annotations } }));
    const change = { action: 'change', adopting: 'if-unowned' } as const;

    it.each([
      ['its pods are of that template', ours],
      ['it has none yet', []],
    ])('is nothing: %s', async (_, pods) => {
      expect((await found({ ...change, live: live() }, pods)).takeovers).toEqual([]);
    });

    it.each<[string, Partial<PlannedObject>, KubernetesObject[]]>([
      ['a pod is of another template', { live: live() }, [...ours.slice(1), ...PODS.slice(0, 1)]],
      ['the template is another one', { live: set() }, ours],
      ['it cannot become what is desired', { action: 'recreate', live: live() }, ours],
      ['a run has begun with it', { live: live({ 'consul-deploy/takeover': 'under way' }) }, ours],
    ])('is all of it where %s', async (_, planned, pods) => {
      const { takeovers } = await found({ ...change, ...planned }, pods);
      expect(takeovers).toMatchObject([{ state: 'fresh' }]);
      expect(takeovers[0]?.pods).toHaveLength(3);
    });
  });

  it('does not take pods of another owner for orphans', async () => {
    expect((await found({ action: 'create' }, PODS)).takeovers).toEqual([]);
  });
});
