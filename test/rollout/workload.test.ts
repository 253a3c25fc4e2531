import { describe, expect, it } from 'vitest';
import { workloadView } from '../../src/rollout/workload.ts';
import { raw } from './fixture.ts';

describe('workloadView', () => {
  it('takes what the verdicts need of a StatefulSet', () => {
    const spec = {
      replicas: 3,
      ordinals: { start: 5 },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
    };
    const status = {
      observedGeneration: 6,
      replicas: 4,
      readyReplicas: 3,
      availableReplicas: 2,
      updatedReplicas: 1,
      currentRevision: 'r1',
      updateRevision: 'r2',
    };
    const metadata = { name: 'consul-server', uid: 'u', generation: 7 };
    expect(workloadView(raw('StatefulSet', metadata, { spec, status }))).toEqual({
      kind: 'StatefulSet',
      name: 'consul-server',
      uid: 'u',
      generation: 7,
      observedGeneration: 6,
      terminating: false,
      deleted: false,
      strategy: 'RollingUpdate',
      partition: 2,
      firstOrdinal: 5,
      desired: 3,
      created: 4,
      ready: 3,
      available: 2,
      updated: 1,
      misscheduled: 0,
      currentRevision: 'r1',
      updateRevision: 'r2',
    });
  });

  it('takes what the verdicts need of a DaemonSet', () => {
    const status = {
      observedGeneration: 2,
      desiredNumberScheduled: 5,
      currentNumberScheduled: 4,
      numberReady: 3,
      numberAvailable: 2,
      updatedNumberScheduled: 1,
      numberMisscheduled: 6,
    };
    const annotations = { 'deprecated.daemonset.template.generation': '9' };
    const view = workloadView(
      raw('DaemonSet', { annotations }, { spec: { updateStrategy: { type: 'OnDelete' } }, status }),
    );
    expect(view).toMatchObject({
      strategy: 'OnDelete',
      desired: 5,
      created: 4,
      ready: 3,
      available: 2,
      updated: 1,
      misscheduled: 6,
      templateGeneration: '9',
    });
  });

  it('counts nothing for a StatefulSet without a status, and wants one pod by default', () => {
    const view = workloadView(raw('StatefulSet', { deletionTimestamp: 'now' }));
    expect(view).toMatchObject({ observedGeneration: 0, desired: 1, available: 0, terminating: true });
  });

  it('counts nothing for a DaemonSet without a status', () => {
    expect(workloadView(raw('DaemonSet', {}))).toEqual({
      kind: 'DaemonSet',
      name: 'thing',
      uid: 'uid',
      generation: 0,
      observedGeneration: 0,
      terminating: false,
      deleted: false,
      strategy: 'RollingUpdate',
      partition: 0,
      firstOrdinal: 0,
      desired: 0,
      created: 0,
      ready: 0,
      available: 0,
      updated: 0,
      misscheduled: 0,
    });
  });

  it('has no partition by default, nor where the controller replaces nothing', () => {
    const partition = (updateStrategy: object) =>
      workloadView(raw('StatefulSet', {}, { spec: { updateStrategy } })).partition;
    expect(partition({ type: 'RollingUpdate' })).toBe(0);
    expect(partition({ type: 'RollingUpdate', rollingUpdate: {} })).toBe(0);
    expect(partition({ type: 'OnDelete', rollingUpdate: { partition: 2 } })).toBe(0);
  });

  it('refuses another kind', () => {
    expect(() => workloadView(raw('Deployment', {}))).toThrow('not a workload: Deployment');
  });
});
