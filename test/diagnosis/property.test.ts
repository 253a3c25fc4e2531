import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PodContext, podSymptoms } from '../../src/diagnosis/pod.ts';
import type { Symptom } from '../../src/diagnosis/symptom.ts';
import { FAILURE_REASONS } from '../../src/failure.ts';
import type { EventView } from '../../src/kubernetes/event.ts';
import { podView } from '../../src/rollout/pod.ts';
import { node, raw } from '../rollout/fixture.ts';

const MORE_RUNS = { numRuns: 1_000 };

/**
 * What the kubelet says of a container that it cannot start: pkg/kubelet/images/types.go, image_manager.go,
 * pkg/kubelet/container/sync_result.go and pkg/kubelet/kuberuntime/kuberuntime_container.go of Kubernetes 1.36.
 */
const ERRORS = [
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
  'PostStartHookError',
  'PreCreateHookError',
  'PreStartHookError',
  'RegistryUnavailable',
  'RunContainerError',
  'SignatureValidationFailed',
];
const WAITS = ['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff', ...ERRORS];
const ENDS = [
  'Completed',
  'ContainerCannotRun',
  'ContainerStatusUnknown',
  'DeadlineExceeded',
  'Error',
  'OOMKilled',
  'StartError',
];
const EVENTS = [
  'ExternalProvisioning',
  'FailedAttachVolume',
  'FailedBinding',
  'FailedMount',
  'FailedScheduling',
  'Nominated',
  'NotTriggerScaleUp',
  'ProvisioningFailed',
  'TriggeredScaleUp',
  'Unhealthy',
];
const MESSAGES = [
  '',
  '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: none.',
  'Back-off pulling image "x"',
  'back-off 1m20s restarting failed container=consul',
  'configmap "a" not found',
  'failed to sync configmap cache',
  'persistentvolumeclaim "data-consul-server-0" not found',
  'rpc error: code = NotFound desc = failed to pull and unpack image "x": not found',
];

/** As the API server sends it: of the right type, and with whatever a runtime or a webhook has written. */
const text = fc.oneof(
  fc.constantFrom(...MESSAGES),
  fc.string({ unit: 'binary', maxLength: 1_500 }),
  fc.string({ unit: fc.constantFrom('\n', '\0', '\u001b', '\u0085', '\u2028', '\u{1F4A5}', 'x') }),
);
const word = (...known: string[]) => fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 8 }, text);
const mostly = <A, B>(usual: A, other: fc.Arbitrary<B>) =>
  fc.oneof<fc.MaybeWeightedArbitrary<A | B>[]>({ arbitrary: fc.constant(usual), weight: 9 }, other);
/** A record whose fields may all be missing. */
const some = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });

const waiting = some({ reason: word(...WAITS), message: text });
const terminated = some({ reason: word(...ENDS), exitCode: fc.integer(), message: text });
const status = some({
  name: fc.constantFrom('consul', 'sidecar'),
  restartCount: fc.oneof(fc.nat(5), fc.nat()),
  started: fc.option(fc.boolean()),
  state: fc.oneof(
    some({ waiting }),
    some({ terminated }),
    fc.constant({ running: { startedAt: '2026-11-23T10:00:00Z' } }),
  ),
  lastState: some({ terminated }),
});
const condition = fc.record(
  {
    type: fc.constantFrom('PodScheduled', 'Ready', 'Initialized'),
    status: fc.constantFrom('True', 'False', 'Unknown'),
    reason: word('Unschedulable', 'SchedulingGated'),
    message: text,
  },
  { requiredKeys: ['type', 'status'] },
);
const pods = fc
  .record({
    metadata: mostly({}, fc.constant({ deletionTimestamp: '2026-11-23T10:00:00Z' })),
    spec: mostly({ nodeName: 'n1' }, fc.constant({})),
    status: some({
      phase: fc.constantFrom('Pending', 'Running', 'Failed', 'Succeeded', 'Unknown'),
      reason: word('Evicted', 'NodeLost', 'Preempting'),
      message: text,
      conditions: fc.array(condition, { maxLength: 4 }),
      initContainerStatuses: fc.array(status, { maxLength: 2 }),
      containerStatuses: fc.array(status, { maxLength: 3 }),
    }),
  })
  .map(({ metadata, ...rest }) => podView(raw('Pod', { name: 'consul-server-0', ...metadata }, rest)));

const event = fc.record({ reason: word(...EVENTS), message: text, count: fc.nat(), lastAt: fc.nat() });
/** As listEvents gives them; no two at the same moment, which nothing could tell apart. */
const latestFirst = (events: readonly EventView[]) => events.toSorted((a, b) => b.lastAt - a.lastAt);
const events = fc.uniqueArray(event, { selector: ({ lastAt }) => lastAt, maxLength: 20 }).map(latestFirst);
const contexts: fc.Arbitrary<PodContext> = fc
  .record({
    role: fc.constantFrom('server' as const, 'client' as const),
    events,
    claims: fc.array(fc.record({ name: fc.constantFrom('data-consul-server-0'), events }), { maxLength: 2 }),
    restarts: fc.nat(),
    budget: fc.record({ readyMs: fc.nat(), startMs: fc.nat() }),
    ready: mostly(undefined, fc.boolean()),
  })
  .map(({ ready, restarts, ...rest }) => ({
    ...rest,
    restartsBefore: () => restarts,
    ...(ready !== undefined && { node: node('n1', { ready }) }),
  }));

const COMMON = ['image', 'crash', 'broken-container', 'unschedulable', 'storage', 'not-ready', 'node-lost'];

test('whatever a pod shows, each symptom can be told', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(pods, contexts, (pod, context) => {
      for (const symptom of podSymptoms(pod, context)) {
        expectTellable(symptom);
        seen.set(symptom.reason, (seen.get(symptom.reason) ?? 0) + 1);
      }
    }),
    MORE_RUNS,
  );
  // Otherwise the property speaks of nothing.
  expect([...seen.keys()]).toEqual(expect.arrayContaining(COMMON));
});

function expectTellable({ reason, graceMs, what, hint, subject }: Symptom): void {
  expect(FAILURE_REASONS).toContain(reason);
  expect(graceMs).toBeGreaterThanOrEqual(0);
  expect(what).not.toMatch(/\p{Cc}/u);
  expect(what.trim()).not.toBe('');
  expect(what.length).toBeLessThanOrEqual(600);
  expect(hint.trim()).not.toBe('');
  expect(subject).toMatchObject({ kind: 'Pod', name: 'consul-server-0', uid: 'uid' });
}

test('no error of the kubelet goes without a symptom', () => {
  const failing = fc.record({ reason: fc.constantFrom(...ERRORS), message: text });
  const statuses = fc.array(
    failing.map((waiting) => ({ name: 'consul', state: { waiting } })),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(statuses, contexts, fc.boolean(), (containers, context, init) => {
      const status = { phase: 'Pending', [init ? 'initContainerStatuses' : 'containerStatuses']: containers };
      const pod = podView(raw('Pod', { name: 'consul-server-0' }, { spec: { nodeName: 'n1' }, status }));
      expect(podSymptoms(pod, context)).not.toEqual([]);
    }),
    MORE_RUNS,
  );
});

/** Of those that say the same the latest counts, so there is one of each. */
const theme = ({ reason }: EventView) => reason.replace('FailedAttachVolume', 'FailedMount');
const oneOfEach = fc.uniqueArray(
  event.map((one) => ({ ...one, lastAt: one.lastAt % 3 })),
  { selector: theme, minLength: 2, maxLength: 20 },
);

test('the order of events that say different things does not matter, not even at the same moment', () => {
  const orders = oneOfEach.chain((some) => fc.tuple(fc.constant(some), shuffle(some)));
  let told = 0;
  fc.assert(
    fc.property(pods, contexts, orders, (pod, context, [one, other]) => {
      const symptoms = podSymptoms(pod, { ...context, events: one });
      expect(podSymptoms(pod, { ...context, events: other })).toEqual(symptoms);
      told += symptoms.filter(({ reason }) => reason === 'storage').length;
    }),
    MORE_RUNS,
  );
  expect(told).toBeGreaterThan(0);
});

function shuffle<T>(list: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...list], { minLength: list.length });
}
