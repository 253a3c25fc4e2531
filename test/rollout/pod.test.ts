import { describe, expect, it } from 'vitest';
import { podView } from '../../src/rollout/pod.ts';
import { raw } from './fixture.ts';

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
