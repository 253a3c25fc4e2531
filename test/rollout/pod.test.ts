import { describe, expect, it } from 'vitest';
import { podView, runs } from '../../src/rollout/pod.ts';
import { pod, raw } from './fixture.ts';

describe('podView', () => {
  it('takes what the verdicts need', () => {
    const view = podView(
      raw(
        'Pod',
        {
          name: 'consul-server-0',
          uid: 'u1',
          labels: { app: 'consul', 'controller-revision-hash': 'h1' },
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Thing', name: 'x', uid: 'not-the-controller' },
            {
              apiVersion: 'apps/v1',
              kind: 'StatefulSet',
              name: 'consul-server',
              uid: 'set',
              controller: true,
            },
          ],
        },
        {
          spec: { nodeName: 'worker-1' },
          status: {
            phase: 'Running',
            podIP: '10.1.0.4',
            conditions: [{ type: 'Ready', status: 'True' }],
            initContainerStatuses: [{ restartCount: 1, imageID: 'init@sha256:0' }],
            containerStatuses: [
              { restartCount: 2, imageID: 'consul@sha256:1' },
              { restartCount: 0, imageID: '' },
            ],
          },
        },
      ),
    );
    expect(view).toEqual({
      name: 'consul-server-0',
      uid: 'u1',
      ownerUid: 'set',
      node: 'worker-1',
      ip: '10.1.0.4',
      phase: 'Running',
      ready: true,
      readiness: { mark: '' },
      terminating: false,
      revision: 'h1',
      restarts: 3,
      containers: [
        { name: '', init: true, imageId: 'init@sha256:0', restarts: 1, running: false, started: false },
        { name: '', init: false, imageId: 'consul@sha256:1', restarts: 2, running: false, started: false },
        { name: '', init: false, restarts: 0, running: false, started: false },
      ],
      scheduled: true,
      labels: { app: 'consul', 'controller-revision-hash': 'h1' },
    });
  });

  it('copes with a pod that has no status yet', () => {
    expect(podView(raw('Pod', { name: 'p', uid: 'u' }))).toEqual({
      name: 'p',
      uid: 'u',
      phase: 'Pending',
      ready: false,
      terminating: false,
      restarts: 0,
      containers: [],
      scheduled: false,
      labels: {},
    });
  });

  it.each([
    ['a condition that is not true', 'Running', 'False'],
    ['a pod that no longer runs', 'Failed', 'True'],
  ])('is not ready with %s', (_, phase, status) => {
    const conditions = [{ type: 'Ready', status }];
    expect(podView(raw('Pod', {}, { status: { phase, conditions } })).ready).toBe(false);
  });

  it('is ready by that condition alone, whatever the others are', () => {
    const ready = (status: string, other: string) => {
      const conditions = [
        { type: 'ContainersReady', status: other },
        { type: 'Ready', status },
      ];
      return podView(raw('Pod', {}, { status: { phase: 'Running', conditions } })).ready;
    };
    expect(ready('True', 'False')).toBe(true);
    expect(ready('False', 'True')).toBe(false);
  });

  it('has no owner where none of those that are named controls it', () => {
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Thing', name: 'x', uid: 'not-the-controller' }];
    expect(podView(raw('Pod', { ownerReferences }))).not.toHaveProperty('ownerUid');
  });

  it('is terminating once it has a deletion timestamp', () => {
    expect(podView(raw('Pod', { deletionTimestamp: '2026-01-01T00:00:00Z' })).terminating).toBe(true);
  });

  it('knows the node a DaemonSet chose before the scheduler agrees', () => {
    const terms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['worker-2'] }] }];
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } };
    const view = podView(raw('Pod', {}, { spec: { affinity: { nodeAffinity: required } } }));
    expect(view.node).toBe('worker-2');
  });

  it.each([
    ['another field than its name', { key: 'metadata.uid', operator: 'In' }],
    ['any node but one', { key: 'metadata.name', operator: 'NotIn' }],
  ])('knows no node where the affinity asks for %s', (_, field) => {
    const terms = [{}, { matchFields: [{ ...field, values: ['worker-2'] }] }];
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } };
    expect(podView(raw('Pod', {}, { spec: { affinity: { nodeAffinity: required } } })).node).toBeUndefined();
    expect(podView(raw('Pod', {}, { spec: { affinity: { nodeAffinity: {} } } })).node).toBeUndefined();
    expect(podView(raw('Pod', {}, { spec: { affinity: {} } })).node).toBeUndefined();
  });

  it.each([
    [{ reason: 'Unschedulable', message: '0/3 nodes' }, '0/3 nodes', 'Unschedulable: 0/3 nodes'],
    [{ reason: 'SchedulingGated' }, 'SchedulingGated', 'SchedulingGated'],
    [{}, 'Unschedulable', 'Unschedulable'],
  ])('says why the scheduler finds no node: %j', (why, unschedulable, waiting) => {
    const conditions = [
      { type: 'Ready', status: 'False', message: 'not this one' },
      { type: 'PodScheduled', status: 'False', ...why },
    ];
    expect(podView(raw('Pod', {}, { status: { conditions } }))).toMatchObject({ unschedulable, waiting });
  });

  it('has nothing to say of the scheduler once a node is found', () => {
    const conditions = [{ type: 'PodScheduled', status: 'True', message: 'found' }];
    const view = podView(raw('Pod', {}, { status: { conditions } }));
    expect(view).not.toHaveProperty('unschedulable');
    expect(view).not.toHaveProperty('waiting');
  });

  it('was ended from outside only where it has failed and says why', () => {
    const evicted = (status: object) => podView(raw('Pod', {}, { status })).evicted;
    expect(evicted({ phase: 'Failed', reason: 'Evicted', message: 'low' })).toBe('Evicted: low');
    expect(evicted({ phase: 'Failed', reason: 'NodeLost' })).toBe('NodeLost');
    expect(evicted({ phase: 'Failed' })).toBeUndefined();
    expect(evicted({ phase: 'Running', reason: 'Evicted' })).toBeUndefined();
  });

  it.each([
    ['its own address', [['agent', '-advertise=$(POD_IP)']], undefined],
    ['the address of its Service', [['agent', '-advertise=10.96.0.7']], true],
    ['that of its Service, told by the second container', [[], ['-advertise=10.96.0.7']], true],
    ['no address by argument', [['agent', '-server']], undefined],
    ['something else that ends alike', [['-no-advertise=10.96.0.7']], undefined],
  ])('knows whether its agent tells others %s', (_, all, expected) => {
    const containers = [{}, ...all.map((args) => ({ args }))];
    expect(podView(raw('Pod', {}, { spec: { containers } })).advertisesService).toBe(expected);
  });

  it.each([
    [
      'an init container before the containers that wait for it',
      {
        initContainerStatuses: [
          { state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } } },
        ],
        containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
      },
      'CrashLoopBackOff: back-off 10s',
    ],
    [
      'the first container that waits',
      { containerStatuses: [{ state: {} }, { state: { waiting: { reason: 'ContainerCreating' } } }] },
      'ContainerCreating',
    ],
    [
      'the scheduler',
      {
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
        ],
      },
      'Unschedulable: 0/3 nodes',
    ],
    [
      'an eviction',
      { phase: 'Failed', reason: 'Evicted', message: 'low on memory' },
      'Evicted: low on memory',
    ],
    ['nothing', { phase: 'Running', containerStatuses: [{ state: { running: {} } }] }, undefined],
  ])('waits for %s', (_, status, waiting) => {
    expect(podView(raw('Pod', {}, { status })).waiting).toBe(waiting);
  });

  it('keeps the text of the cluster to one short line', () => {
    const message = `one\n::error::two\u001b[31m${'x'.repeat(1_000)}`;
    const status = { containerStatuses: [{ state: { waiting: { reason: 'Why', message } } }] };
    const waiting = podView(raw('Pod', {}, { status })).waiting ?? '';
    expect(waiting).toMatch(/^Why: one ::error::two \[31mx+…$/);
    expect(waiting.length).toBeLessThanOrEqual(201);
  });
});

describe('a container runs', () => {
  const consul = { name: 'consul', init: false, restarts: 0, running: true, started: true };
  it.each([
    ['where its node says so, ready or not', { ready: false }, [consul], true],
    ['no more when the pod is ending', { terminating: true }, [consul], false],
    ['no more when the pod has failed', { phase: 'Failed' }, [consul], false],
    ['not while it waits', {}, [{ ...consul, running: false }], false],
    ['not when only another one runs', {}, [{ ...consul, name: 'sidecar' }], false],
    ['not when an init container of that name does', {}, [{ ...consul, init: true }], false],
    ['not when the pod has none', {}, [], false],
  ])('%s', (_, change, containers, expected) => {
    expect(runs(pod('consul-server-0', { ...change, containers }), 'consul')).toBe(expected);
  });
});
