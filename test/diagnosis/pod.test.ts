import { describe, expect, test } from 'vitest';
import { podSymptoms, probeBudget } from '../../src/diagnosis/pod.ts';
import type { ContainerView } from '../../src/rollout/container.ts';
import { ailing, container, context, event, waiting } from './fixture.ts';

/** Reason, class and grace in seconds of the one symptom. */
function brief(containers: ContainerView[], change = {}): [string, string, number] | undefined {
  const [found, ...more] = podSymptoms(ailing({ containers }), context(change));
  expect(more).toEqual([]);
  if (found) {
    expect(found.what).toMatch(/\w/);
    expect(found.hint).toMatch(/\w/);
  }
  return found && [found.reason, found.class, found.graceMs / 1000];
}

test('a pod that is ready, or going, has none', () => {
  const containers = [waiting('ErrImagePull', 'not found')];
  expect(podSymptoms(ailing({ containers, ready: true }), context())).toEqual([]);
  expect(podSymptoms(ailing({ containers, terminating: true }), context())).toEqual([]);
});

test('a pod of which one container fails and another runs has no trouble but that one', () => {
  const running = container({ name: 'side', running: true, started: true });
  expect(brief([waiting('ErrImagePull', 'not found'), running])).toEqual(['image', 'hopeless', 15]);
});

test('a pod of which one container runs waits for its probes, not for volumes or images', () => {
  const init = container({
    name: 'init',
    init: true,
    ended: { reason: 'Completed', exitCode: 0, message: '' },
  });
  const running = container({ running: true, started: true });
  const events = [event('FailedMount', 'timed out')];
  expect(brief([init, running], { events })).toEqual(['not-ready', 'slow', 64]);
  const starting = container({ name: 'side', running: true, started: false });
  expect(brief([init, running, starting])).toEqual(['not-ready', 'slow', 360]);
  // Neither an init container nor one that has not been started is held up by a startup probe.
  expect(brief([{ ...init, running: true }, running])).toEqual(['not-ready', 'slow', 64]);
  expect(brief([running, container({ name: 'side' })])).toEqual(['not-ready', 'slow', 64]);
});

test.each(['n1', undefined])('a trouble is of a pod, with its node where it has one: %s', (node) => {
  const { node: _, ...nowhere } = ailing({ containers: [waiting('ErrImagePull', 'not found')] });
  const [found] = podSymptoms({ ...nowhere, ...(node !== undefined && { node }) }, context());
  const subject = { kind: 'Pod', name: 'consul-server-0', uid: 'uid-consul-server-0', role: 'server' };
  expect(found?.subject).toStrictEqual({ ...subject, ...(node && { node }), container: 'consul' });
});

test.each([
  ['RunContainerErrors', 'x'],
  ['MyRunContainerError', 'x'],
  ['ErrImagePulls', 'not found'],
  ['MyErrImagePull', 'not found'],
])('a word of a kubelet that is not known, such as %s, is told with time to pass', (reason, message) => {
  expect(brief([waiting(reason, message)])).toEqual(['broken-container', 'transient', 120]);
});

test('a client that has no shell is not told what servers need one for', () => {
  const ended = { reason: 'StartError', exitCode: 128, message: 'exec: "/bin/sh": no such file' };
  const pod = ailing({ containers: [container({ ended })] });
  expect(podSymptoms(pod, context({ role: 'client' }))[0]?.hint).toContain('see `image` and `patches`');
});

test.each([
  ['back-off 5m0s restarting failed container', 'hopeless'],
  ['back-off 10m0s restarting failed container', 'hopeless'],
  ['back-off 1m restarting failed container', 'hopeless'],
  ['the back-off 5m0s restarting is over', 'transient'],
])('how long the kubelet pauses: %s', (message, kind) => {
  const pausing = container({ waiting: { reason: 'CrashLoopBackOff', message }, restarts: 1 });
  expect(podSymptoms(ailing({ containers: [pausing] }), context())[0]?.class).toBe(kind);
});

test.each([
  ['InvalidImageName', 'couldn\'t parse image name "a b"', ['image', 'hopeless', 5]],
  ['ErrImageNeverPull', 'is not present with pull policy of Never', ['image', 'hopeless', 5]],
  [
    'ErrImagePull',
    'rpc error: code = NotFound desc = docker.io/consul:9: not found',
    ['image', 'hopeless', 15],
  ],
  ['ErrImagePull', 'manifest unknown', ['image', 'hopeless', 15]],
  ['ErrImagePull', 'failed to authorize: 401 Unauthorized', ['image', 'hopeless', 15]],
  ['ErrImagePull', 'no match for platform in manifest', ['image', 'hopeless', 15]],
  ['ErrImagePull', 'x509: certificate signed by unknown authority', ['image', 'hopeless', 15]],
  [
    'ImagePullBackOff',
    'Back-off pulling image "x": ErrImagePull: pull access denied',
    ['image', 'hopeless', 15],
  ],
  ['ErrImagePull', 'dial tcp 10.0.0.1:443: i/o timeout', ['image', 'transient', 120]],
  ['ErrImagePull', 'unexpected status from HEAD request: 429 Too Many Requests', ['image', 'transient', 120]],
  ['ImagePullBackOff', 'Back-off pulling image "x"', ['image', 'transient', 120]],
  ['CreateContainerConfigError', 'configmap "nope" not found', ['missing-reference', 'hopeless', 30]],
  [
    'CreateContainerConfigError',
    "couldn't find key a in Secret default/b",
    ['missing-reference', 'hopeless', 30],
  ],
  [
    'CreateContainerConfigError',
    'container has runAsNonRoot and image will run as root',
    ['broken-container', 'hopeless', 30],
  ],
  [
    'CreateContainerConfigError',
    'failed to sync configmap cache: timed out',
    ['broken-container', 'transient', Number.POSITIVE_INFINITY],
  ],
  [
    'RunContainerError',
    'exec: "nope": executable file not found in $PATH',
    ['broken-container', 'hopeless', 10],
  ],
] as const)('%s %s', (reason, message, wanted) => {
  expect(brief([waiting(reason, message)])).toEqual(wanted);
});

test.each([
  ['InvalidImageName', 'a b', 'Check the name and the tag'],
  ['ErrImageNeverPull', 'x', 'imagePullPolicy'],
  ['ErrImagePull', 'manifest unknown', 'Check the name and the tag'],
  ['ErrImagePull', '401 Unauthorized', 'imagePullSecrets'],
  ['ErrImagePull', 'authentication required', 'imagePullSecrets'],
  ['ErrImagePull', 'insufficient_scope', 'imagePullSecrets'],
  ['ErrImagePull', 'no matching manifest for linux/arm64', 'processors of these nodes'],
  ['ErrImagePull', 'x509: unknown authority', "the registry's certificate"],
  ['SignatureValidationFailed', 'no signature', 'Check the name and the tag'],
  ['RegistryUnavailable', 'denied for now', 'whether the registry answers'],
  ['ImageInspectError', 'broken', 'whether the registry answers'],
  ['CreateContainerConfigError', 'secret "a" not found', 'correct its name in `patches`'],
  ['CreateContainerConfigError', 'image will run as root', 'Correct what the message names'],
  ['CreateContainerError', 'no such device', 'the node cannot run it'],
  ['SomethingNew', 'nobody knows', 'kubectl describe pod'],
] as const)('%s %s is told with its cure', (reason, message, hint) => {
  const [found] = podSymptoms(ailing({ containers: [waiting(reason, message)] }), context());
  expect(found?.hint).toContain(hint);
  expect(found?.what).toBe(`${reason}: ${message}`);
});

test('a reason without a message is told alone', () => {
  const what = (reason: string) => podSymptoms(ailing({ containers: [waiting(reason)] }), context())[0]?.what;
  expect(what('ErrImagePull')).toBe('ErrImagePull');
  expect(what('CreateContainerError')).toBe('CreateContainerError');
});

test('of an image only what went wrong is told, and it is alike between a try and the pause after it', () => {
  const layers =
    'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/x:9": ' +
    'failed to resolve reference "docker.io/x:9": not found';
  const told = (reason: string, message: string) =>
    podSymptoms(ailing({ containers: [waiting(reason, message)] }), context())[0];
  const tried = told('ErrImagePull', layers);
  const paused = told('ImagePullBackOff', `Back-off pulling image "docker.io/x:9": ErrImagePull: ${layers}`);
  expect(tried?.what).toBe('ErrImagePull: docker.io/x:9: not found');
  expect(tried?.alike).toBe('docker.io/x:9: not found');
  expect(paused?.alike).toBe(tried?.alike);
  expect(told('ErrImagePull', 'failed to resolve image: broken')?.alike).toBe('broken');
});

test('a pause that does not say what it is for is vague', () => {
  const vague = (message: string) =>
    podSymptoms(ailing({ containers: [waiting('ImagePullBackOff', message)] }), context())[0]?.vague;
  expect(vague('')).toBe(true);
  expect(vague('Back-off pulling image "x"')).toBe(true);
  expect(vague('Back-off pulling image "x": i/o timeout')).toBeUndefined();
});

test('an unknown word of a runtime gets two minutes', () => {
  expect(brief([waiting('SomethingNew', 'nobody knows')])).toEqual(['broken-container', 'transient', 120]);
});

test.each(['ContainerCreating', 'PodInitializing', 'Waiting', 'Completed'])('%s is no trouble', (reason) => {
  expect(brief([waiting(reason)])).toBeUndefined();
});

describe('a container that ends', () => {
  const ended = { reason: 'Error', exitCode: 1, message: '' };
  const looping = (restarts: number, pause: string, end = ended): ContainerView =>
    container({
      restarts,
      ended: end,
      waiting: {
        reason: 'CrashLoopBackOff',
        message: `back-off ${pause} restarting failed container=consul`,
      },
    });
  const FOREVER = Number.POSITIVE_INFINITY;

  test.each([
    ['once', container({ ended }), 0, ['crash', 'transient', FOREVER]],
    ['twice', looping(1, '10s'), 0, ['crash', 'transient', FOREVER]],
    ['three times', looping(2, '20s'), 0, ['crash', 'hopeless', 0]],
    ['twice, after many restarts long ago', looping(51, '10s'), 50, ['crash', 'transient', FOREVER]],
    ['for long before this run', looping(50, '5m0s'), 50, ['crash', 'hopeless', 0]],
    ['for a while before this run', looping(3, '1m20s'), 3, ['crash', 'hopeless', 0]],
    [
      'once, out of memory',
      container({ ended: { ...ended, reason: 'OOMKilled', exitCode: 137 } }),
      0,
      ['out-of-memory', 'transient', FOREVER],
    ],
    [
      'twice, out of memory',
      looping(1, '10s', { ...ended, reason: 'OOMKilled', exitCode: 137 }),
      0,
      ['out-of-memory', 'hopeless', 0],
    ],
    [
      'before it began',
      container({ ended: { reason: 'StartError', exitCode: 128, message: 'exec: "x"' } }),
      0,
      ['broken-container', 'hopeless', 10],
    ],
  ] as const)('%s', (_, view, before, wanted) => {
    expect(brief([view], { restartsBefore: () => before })).toEqual(wanted);
  });

  test('three times, and runs again, is judged as one that has not ended, too', () => {
    const again = container({ restarts: 3, running: true, started: true, ended });
    expect(podSymptoms(ailing({ containers: [again] }), context())).toMatchObject([
      { reason: 'crash', class: 'transient', graceMs: FOREVER, runs: true },
      { reason: 'not-ready', class: 'slow', graceMs: 64_000 },
    ]);
  });

  test('as it should, before the others start, is no trouble', () => {
    const done = container({ init: true, ended: { reason: 'Completed', exitCode: 0, message: '' } });
    expect(brief([done, waiting('PodInitializing')])).toBeUndefined();
  });

  test.each([
    ['out of memory', 'OOMKilled', 'more memory (`server-resources`'],
    ['otherwise', 'Error', 'the last lines of its log'],
  ])('%s, gets its cure', (_, reason, hint) => {
    const [found] = podSymptoms(ailing({ containers: [looping(3, '40s', { ...ended, reason })] }), context());
    expect(found?.hint).toContain(hint);
  });

  test('once, and runs since, is no trouble by itself before it has restarted', () => {
    const running = container({ running: true, started: true });
    expect(brief([{ ...running, restarts: 1 }])).toEqual(['not-ready', 'slow', 64]);
    expect(brief([{ ...running, ended }])).toEqual(['not-ready', 'slow', 64]);
  });

  test('before the others start, and not as it should, is a trouble', () => {
    const failed = container({ init: true, ended });
    expect(brief([failed])).toEqual(['crash', 'transient', FOREVER]);
    const zero = { ...ended, reason: 'Completed', exitCode: 0 };
    expect(brief([{ ...looping(2, '20s', zero), init: true }])).toEqual(['crash', 'hopeless', 0]);
    expect(brief([container({ init: true, restarts: 2, ended: zero })])).toBeUndefined();
  });

  test('says how', () => {
    const [found] = podSymptoms(ailing({ containers: [looping(2, '20s')] }), context());
    expect(found?.what).toBe('it ended: exit code 1, 3 times so far');
    const told = (end: ContainerView['ended'], restarts = 0) =>
      podSymptoms(ailing({ containers: [looping(restarts, '10s', end as typeof ended)] }), context())[0]
        ?.what;
    expect(told({ ...ended, message: 'no\nport' })).toBe('it ended: exit code 1 (no port), once so far');
    expect(told({ ...ended, reason: 'Completed', exitCode: 0 })).toBe('it ended: exit code 0, once so far');
    expect(told({ ...ended, reason: 'ContainerStatusUnknown', exitCode: 137 }, 1)).toBe(
      'it ended: ContainerStatusUnknown, exit code 137, 2 times so far',
    );
    expect(told({ ...ended, reason: 'OOMKilled' })).toBe(
      'it was killed for taking more memory than its limit, once so far',
    );
    const { ended: _, ...unknown } = looping(0, '10s');
    expect(podSymptoms(ailing({ containers: [unknown] }), context())[0]?.what).toBe('it ended, once so far');
    // The count of restarts comes later than the pause that tells of them.
    const [early] = podSymptoms(ailing({ containers: [looping(1, '20s')] }), context());
    expect(early?.what).toBe('it ended: exit code 1, 3 times so far');
  });
});

describe('without a node', () => {
  const unscheduled = (message: string, change = {}) => {
    const pod = ailing({ scheduled: false, unschedulable: message });
    const [found] = podSymptoms(pod, context(change));
    return found && [found.reason, found.class, found.graceMs / 1000];
  };

  test.each([
    [
      "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
      ['unschedulable', 'hopeless', 30],
    ],
    [
      "0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: db}, 2 node(s) didn't match pod anti-affinity rules.",
      ['unschedulable', 'hopeless', 30],
    ],
    [
      '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {dedicated: db}.',
      ['unschedulable', 'transient', 60],
    ],
    [
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod anti-affinity rules.",
      ['unschedulable', 'transient', 120],
    ],
    ['no nodes available to schedule pods', ['unschedulable', 'transient', 120]],
    [
      '0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 2 Insufficient memory.',
      ['unschedulable', 'transient', 120],
    ],
    ['0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.', ['storage', 'slow', 120]],
    ['persistentvolumeclaim "data-consul-server-0" not found', ['storage', 'hopeless', 30]],
    [
      '0/3 nodes are available: 3 node(s) had volume node affinity conflict.',
      ['unschedulable', 'hopeless', 30],
    ],
  ])('%s', (message, wanted) => {
    expect(unscheduled(message)).toEqual(wanted);
  });

  test.each([
    ["2 node(s) didn't match pod anti-affinity rules", 'Add nodes, or ask for fewer `servers`'],
    ["2 node(s) didn't match Pod's node affinity/selector", 'Label or untaint nodes for it'],
    ['1 Insufficient cpu, 1 node(s) had taints', 'ask for less in `server-resources`'],
    ['1 node(s) were unschedulable, 1 Insufficient cpu', 'Uncordon or repair the nodes'],
    ['pod has unbound immediate PersistentVolumeClaims', 'whose provisioner runs'],
    [
      "1 node(s) didn't match pod anti-affinity rules, 12 node(s) had untolerated taint {a: b}",
      'Add nodes, or ask',
    ],
    [
      '1 Insufficient cpu, pod has unbound immediate PersistentVolumeClaims',
      'ask for less in `server-resources`',
    ],
  ])('because %s, gets the cure that fits', (why, hint) => {
    const pod = ailing({ scheduled: false, unschedulable: `0/2 nodes are available: ${why}.` });
    expect(podSymptoms(pod, context())[0]?.hint).toContain(hint);
  });

  test.each([
    [
      '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available',
      '1 Insufficient cpu',
    ],
    ['0/1 nodes are available: 1 Insufficient cpu preemption: 0/1\nnodes', '1 Insufficient cpu'],
    [
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: x',
      '1 Insufficient cpu',
    ],
    ['0/1 nodes are available: 1 Insufficient cpu.', '1 Insufficient cpu.'],
  ])('what the scheduler adds is left out: %s', (message, words) => {
    const [found] = podSymptoms(ailing({ scheduled: false, unschedulable: message }), context());
    expect(found?.what).toBe(`no node for it: 0/1 nodes are available: ${words}`);
  });

  test('because of reasons that stand in a list, or alone without an end', () => {
    expect(unscheduled('0/2 nodes are available: 2 Insufficient cpu')).toEqual([
      'unschedulable',
      'transient',
      60,
    ]);
    // What stands behind the list is no reason.
    const beside =
      '0/2 nodes are available: 2 node(s) had untolerated taint {a: b}. Insufficient cpu elsewhere';
    expect(unscheduled(beside)).toEqual(['unschedulable', 'hopeless', 30]);
  });

  test('that a scheduling gate keeps back waits for whoever lifts it', () => {
    const message = 'Scheduling is blocked due to non-empty scheduling gates';
    expect(unscheduled(message)).toEqual(['unschedulable', 'transient', 120]);
  });

  test('while an autoscaler makes one, there is no hurry', () => {
    const message = '0/3 nodes are available: 3 Insufficient cpu.';
    const growing = event('TriggeredScaleUp', 'pod triggered scale-up', { lastAt: 2 });
    const refusing = event('NotTriggerScaleUp', 'max node group size reached', { lastAt: 3 });
    expect(unscheduled(message, { events: [growing] })).toEqual([
      'unschedulable',
      'slow',
      Number.POSITIVE_INFINITY,
    ]);
    expect(unscheduled(message, { events: [refusing, growing] })).toEqual(['unschedulable', 'transient', 60]);
  });

  test('what its volume waits for is told', () => {
    const events = [event('ExternalProvisioning', 'Waiting for a volume to be created')];
    const pod = ailing({ scheduled: false });
    const [found] = podSymptoms(pod, context({ claims: [{ name: 'data-consul-server-0', events }] }));
    expect(found).toMatchObject({ reason: 'storage', class: 'slow', graceMs: 120_000 });
    expect(found?.what).toContain('data-consul-server-0 is not bound: Waiting');
    expect(podSymptoms(pod, context())).toEqual([]);
  });
});

describe('with a node', () => {
  test('that is down, also one that is going has a trouble: it never goes', () => {
    const node = { name: 'n1', uid: 'n', ready: false, cordoned: false, terminating: false };
    expect(podSymptoms(ailing({ terminating: true }), context({ node }))).toMatchObject([
      { reason: 'node-lost', class: 'transient' },
    ]);
    expect(podSymptoms(ailing({ terminating: true, ready: true }), context({ node }))).toEqual([]);
  });

  test('an image on its way is slow, and no more', () => {
    const pulling = event('Pulling', 'Pulling image "hashicorp/consul:1.22.7"', { lastAt: 2 });
    const slow = ['image', 'slow', Number.POSITIVE_INFINITY];
    expect(brief([waiting('ContainerCreating')], { events: [pulling] })).toEqual(slow);
    const pulled = event('Pulled', 'Successfully pulled image', { lastAt: 3 });
    expect(brief([waiting('ContainerCreating')], { events: [pulled, pulling] })).toBeUndefined();
    // Events that are called alike tell of something else.
    for (const reason of ['FailedToRetrieveImagePullSecret', 'NotStarted']) {
      const other = event(reason, 'something else', { lastAt: 3 });
      expect(brief([waiting('ContainerCreating')], { events: [other, pulling] })).toEqual(slow);
    }
  });

  test('that is not ready, that comes first', () => {
    const node = { name: 'n1', uid: 'n', ready: false, cordoned: false, terminating: false };
    const pod = ailing({ containers: [waiting('ErrImagePull', 'not found')] });
    expect(podSymptoms(pod, context({ node }))).toMatchObject([{ reason: 'node-lost', graceMs: 120_000 }]);
  });

  test.each([
    [
      'MountVolume.SetUp failed for volume "x" : configmap "nope" not found',
      ['missing-reference', 'hopeless', 30],
    ],
    ['Unable to attach or mount volumes: timed out waiting', ['storage', 'transient', 120]],
    ['Multi-Attach error for volume "pvc-1"', ['storage', 'transient', Number.POSITIVE_INFINITY]],
  ])('cannot mount: %s', (message, wanted) => {
    const events = [event('FailedMount', message)];
    expect(brief([waiting('ContainerCreating')], { events })).toEqual(wanted);
  });

  test.each(['FailedMountOnFilesystemMismatch', 'NotFailedMount'])(
    'what %s tells is nothing that keeps a volume from being mounted',
    (reason) => {
      expect(brief([waiting('ContainerCreating')], { events: [event(reason, 'x')] })).toBeUndefined();
    },
  );

  test('without a network', () => {
    const events = [event('FailedCreatePodSandBox', 'plugin type="calico" failed (add): timeout')];
    expect(brief([waiting('ContainerCreating')], { events })).toEqual(['broken-container', 'transient', 120]);
  });

  test.each([
    ['FailedMount', 'configmap "nope" not found', 'correct its name in `patches`'],
    ['FailedMount', 'references non-existent secret key: a', 'correct its name in `patches`'],
    ['FailedAttachVolume', 'Multi-Attach error for volume "pvc-1"', 'still attached to another node'],
    ['FailedMapVolume', 'timed out', 'the driver that mounts it'],
    ['FailedCreatePodSandBox', 'timeout', 'network plugin'],
  ])('what keeps it from starting is told with its cure: %s %s', (reason, message, hint) => {
    const pod = ailing({ containers: [waiting('ContainerCreating')] });
    const [found] = podSymptoms(pod, context({ events: [event(reason, message)] }));
    expect(found?.hint).toContain(hint);
    expect(found?.what).toBe(`${reason}: ${message}`);
  });

  test.each([
    ['ProvisioningFailed', 'transient'],
    ['FailedBinding', 'transient'],
    ['Provisioning', 'slow'],
    ['WaitForPodScheduled', 'slow'],
    ['ProvisioningSucceeded', undefined],
    ['ExternalProvisioningFailed', undefined],
    ['SomethingElse', undefined],
  ])('a claim of which %s is told: %s', (reason, kind) => {
    const claims = [
      { name: 'other', events: [] },
      { name: 'data', events: [event(reason, 'why')] },
    ];
    const [found] = podSymptoms(ailing({ scheduled: false }), context({ claims }));
    expect(found?.class).toBe(kind);
    if (!found) return;
    expect(found.what).toBe('its volume claim data is not bound: why');
    expect(found.hint).toContain('storage-class');
  });

  test('what runs and is not ready is slow for as long as its probes allow, and a minute', () => {
    const running = { running: true, phase: 'Running' };
    expect(brief([container({ ...running, started: true })])).toEqual(['not-ready', 'slow', 64]);
    expect(brief([container({ ...running, started: false })])).toEqual(['not-ready', 'slow', 360]);
    const events = [event('Unhealthy', 'Readiness probe failed: HTTP 404')];
    const [found] = podSymptoms(
      ailing({ containers: [container({ running: true, started: true })] }),
      context({ events }),
    );
    expect(found?.what).toContain('HTTP 404');
  });

  test('ended from outside', () => {
    const pod = ailing({ phase: 'Failed', evicted: 'Evicted: low on memory' });
    expect(podSymptoms(pod, context())).toMatchObject([{ reason: 'node-lost' }]);
  });
});

test('the budget of the probes is that of the slowest container, with the defaults of Kubernetes', () => {
  const containers = [
    { startupProbe: { periodSeconds: 1, failureThreshold: 300 }, readinessProbe: { periodSeconds: 1 } },
    { readinessProbe: { initialDelaySeconds: 5 } },
  ];
  expect(probeBudget({ spec: { template: { spec: { containers } } } })).toEqual({
    startMs: 301_000,
    readyMs: 45_000,
  });
  expect(probeBudget({})).toEqual({ startMs: 0, readyMs: 0 });
});

test('a server whose image has no shell is told how to do without', () => {
  const hintOf = (message: string) =>
    podSymptoms(
      ailing({ containers: [container({ ended: { reason: 'StartError', exitCode: 128, message } })] }),
      context({ role: 'server' }),
    )[0]?.hint;
  expect(hintOf('exec: "/bin/sh": stat /bin/sh: no such file or directory')).toContain(
    'server-addresses: pod',
  );
  expect(hintOf('exec: "x": executable file not found')).toContain('see `image` and `patches`');
});
