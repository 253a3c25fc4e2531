import { describe, expect, test } from 'vitest';
import { ENDS } from '../../src/diagnosis/crash.ts';
import { FailedPulls } from '../../src/diagnosis/failed-pulls.ts';
import { endedForAnother } from '../../src/diagnosis/image.ts';
import { podSymptoms } from '../../src/diagnosis/pod.ts';
import type { EventView } from '../../src/kubernetes/event.ts';
import type { ContainerView } from '../../src/rollout/container.ts';
import { ailing, container, context, event, subject } from './fixture.ts';

const NOT_FOUND =
  'Failed to pull image "hashicorp/consul:9.9.9": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/hashicorp/consul:9.9.9": failed to resolve reference "docker.io/hashicorp/consul:9.9.9": docker.io/hashicorp/consul:9.9.9: not found';
const UNREACHABLE =
  'Failed to pull image "hashicorp/consul:9.9.9": rpc error: code = Unavailable desc = dial tcp 10.0.0.1:443: i/o timeout';
/** As the kubelet of Kubernetes 1.36 tells it of a container that it has ended for another image. */
const ENDED = { reason: 'Completed', exitCode: 0, message: '' };
const PAUSING = {
  reason: 'CrashLoopBackOff',
  message: 'back-off 40s restarting failed container=consul pod=consul-server-0',
};
const ended = (change: Partial<ContainerView> = {}) =>
  container({ waiting: PAUSING, ended: ENDED, restarts: 4, ...change });

/** What is told of it, where it had been restarted four times before this run. */
function told(one: ContainerView, events: readonly EventView[] = [event('Failed', NOT_FOUND)]) {
  return podSymptoms(ailing({ containers: [one] }), context({ events, restartsBefore: () => 4 }));
}

describe('a container that was ended for another image, which cannot be pulled', () => {
  test('is told as that, with what the registry says and what to do', () => {
    expect(told(ended())).toEqual([
      {
        reason: 'image',
        class: 'hopeless',
        graceMs: 15_000,
        subject: { ...subject, uid: 'uid-consul-server-0', container: 'consul' },
        what: 'ErrImagePull: docker.io/hashicorp/consul:9.9.9: docker.io/hashicorp/consul:9.9.9: not found',
        alike: 'docker.io/hashicorp/consul:9.9.9: docker.io/hashicorp/consul:9.9.9: not found',
        hint: 'Check the name and the tag in `image`.',
      },
    ]);
  });

  test('may still get it from a registry that does not answer', () => {
    expect(told(ended(), [event('Failed', UNREACHABLE)])).toMatchObject([
      { reason: 'image', class: 'transient', what: expect.stringContaining('i/o timeout') },
    ]);
  });

  test('is told by the latest try', () => {
    const events = [event('Failed', UNREACHABLE), event('Failed', NOT_FOUND)];
    expect(told(ended(), events)).toMatchObject([{ class: 'transient' }]);
    expect(told(ended(), events.toReversed())).toMatchObject([{ class: 'hopeless' }]);
  });

  test('is told once, whether it is being tried or paused after a try', () => {
    const trying = ended({
      waiting: { reason: 'ErrImagePull', message: NOT_FOUND.replace(/^[^:]*:[^:]*: /, '') },
    });
    const [paused, tried] = [told(ended()), told(trying)].map(([one]) => one?.alike);
    expect(tried).toBe(paused);
  });
});

describe('what events tell of an image counts for a container', () => {
  const failed = (change: Partial<EventView> = {}) => event('Failed', NOT_FOUND, change);
  const isImage = (events: readonly EventView[]) => told(ended(), events)[0]?.reason === 'image';

  test('where they are about this container', () => {
    expect(isImage([failed({ container: 'consul' })])).toBe(true);
    expect(isImage([failed({ container: 'sidecar' })])).toBe(false);
    expect(isImage([failed({ container: 'sidecar' }), failed({ container: 'consul' })])).toBe(true);
  });

  test('where none that came later tells that it is there', () => {
    const pulled = event('Pulled', 'Successfully pulled image "hashicorp/consul:9.9.9" in 1s', {
      container: 'consul',
    });
    expect(isImage([pulled, failed({ container: 'consul' })])).toBe(false);
    expect(isImage([failed({ container: 'consul' }), pulled])).toBe(true);
    expect(isImage([{ ...pulled, container: 'sidecar' }, failed({ container: 'consul' })])).toBe(true);
    expect(isImage([event('Started', 'Container started', { container: 'consul' }), failed()])).toBe(false);
  });
});

describe('a registry that cannot be reached', () => {
  const pulling = (word: string, message: string) =>
    podSymptoms(
      ailing({
        containers: [
          container({
            waiting: {
              reason: word,
              message: `failed to pull and unpack image "r.test/c:1": failed to resolve reference "r.test/c:1": ${message}`,
            },
          }),
        ],
      }),
      context(),
    )[0];
  const head = (message: string) =>
    `failed to do request: Head "https://r.test/v2/c/manifests/1": dial tcp${message}`;

  test.each([
    [': lookup r.test on 10.0.0.53:53: no such host', 25_000, 'DNS'],
    [' 10.0.0.1:443: connect: connection refused', 50_000, 'registry answers'],
    [' 10.0.0.1:443: connect: no route to host', 50_000, 'registry answers'],
    [' 10.0.0.1:443: i/o timeout', 120_000, 'how fast'],
    [
      ': lookup r.test on 10.0.0.53:53: server misbehaving',
      120_000,
      'DNS that the nodes ask does not answer',
    ],
    [
      ': lookup r.test on 10.0.0.53:53: read udp 10.1.0.7:4711->10.0.0.53:53: read: connection refused',
      50_000,
      'does not answer',
    ],
    [
      ': lookup r.test on 10.0.0.53:53: read udp 10.1.0.7:4711->10.0.0.53:53: i/o timeout',
      120_000,
      'does not answer',
    ],
  ])('%s', (message, graceMs, hint) => {
    expect(pulling('ErrImagePull', head(message))).toMatchObject({
      reason: 'image',
      class: 'transient',
      graceMs,
      hint: expect.stringContaining(hint),
      what: expect.stringMatching(/^ErrImagePull: r\.test\/c:1: failed to do request/),
    });
  });

  test('is told in the same words while it is tried and while the kubelet waits, whatever port the DNS was asked from', () => {
    const from = (port: number) =>
      head(`: lookup r.test on 10.0.0.53:53: read udp 10.1.0.7:${port}->10.0.0.53:53: i/o timeout`);
    const tried = pulling('ErrImagePull', from(4711));
    const layers = 'failed to pull and unpack image "r.test/c:1": failed to resolve reference "r.test/c:1"';
    const paused = podSymptoms(
      ailing({
        containers: [
          container({
            waiting: {
              reason: 'ImagePullBackOff',
              message: `Back-off pulling image "r.test/c:1": ErrImagePull: ${layers}: ${from(815)}`,
            },
          }),
        ],
      }),
      context(),
    )[0];
    expect(paused?.what).toBe(tried?.what);
  });
});

describe('a container that ends by itself is a crash', () => {
  test.each<[string, ContainerView]>([
    ['with a fault', ended({ ended: { reason: 'Error', exitCode: 1, message: '' } })],
    ['killed', ended({ ended: { reason: 'Error', exitCode: 137, message: '' } })],
    ['out of memory', ended({ ended: { reason: 'OOMKilled', exitCode: 137, message: '' } })],
    ['without a fault, and again since this run has seen it', ended({ restarts: 5 })],
    ['in a way that nobody has told', container({ waiting: PAUSING, restarts: 4 })],
  ])('%s, although an image could not be pulled once', (_, one) => {
    const [found, ...more] = told(one);
    expect(more).toEqual([]);
    expect(found?.reason).toBe(one.ended?.reason === 'OOMKilled' ? 'out-of-memory' : 'crash');
    expect(found?.class).toBe('hopeless');
  });

  test('or may be one where no event tells of an image: then it is not given up before an event may', () => {
    for (const events of [
      [],
      [event('Failed', 'Error: ImagePullBackOff')],
      [event('Pulling', NOT_FOUND)],
      [event('Failed', `It said: ${NOT_FOUND}`)],
    ])
      expect(told(ended(), events)).toMatchObject([
        { reason: 'crash', class: 'transient', graceMs: Number.POSITIVE_INFINITY },
      ]);
  });

  test('and is given up once it has ended often enough', () => {
    const often = ended({ restarts: 4 + ENDS });
    expect(told(often, [])).toMatchObject([{ reason: 'crash', class: 'hopeless' }]);
  });
});

test.each<[string, Partial<ContainerView>, number, boolean]>([
  ['it waits after an end without a fault', {}, 4, true],
  ['it ended with a fault', { ended: { ...ENDED, exitCode: 1 } }, 4, false],
  ['it was started again since', {}, 3, false],
  ['it waits for something else', { waiting: { reason: 'ContainerCreating', message: '' } }, 4, false],
])('a container may have been ended for another image: %s', (_, change, restartsBefore, expected) => {
  expect(endedForAnother(ended(change), restartsBefore)).toBe(expected);
});

test('a container that runs has no trouble with its image, whatever events tell', () => {
  const running = container({ running: true, started: true, ended: ENDED, restarts: 4 });
  expect(told(running).map(({ reason }) => reason)).not.toContain('image');
});

describe('failed pulls of an image', () => {
  const NOWHERE = 'dial tcp: lookup r.test on 10.0.0.53:53: no such host';
  const NOBODY = 'dial tcp 10.0.0.1:443: connect: connection refused';
  const tried = (message: string) => container({ waiting: { reason: 'ErrImagePull', message } });
  const paused = (message: string) =>
    waits('ImagePullBackOff', `Back-off pulling image "r.test/c:1": ErrImagePull: ${message}`);
  const waits = (reason: string, message = '') => container({ waiting: { reason, message } });
  const runs = container({ running: true, started: true });
  function counted(...seen: readonly ContainerView[]): number {
    const pulls = new FailedPulls();
    for (const one of seen) pulls.observe('u0', [one]);
    return pulls.of('u0', 'consul');
  }

  test.each<[string, number, ContainerView[]]>([
    [
      'one, however long it is shown, since the next may be on its way',
      1,
      [tried(NOWHERE), ...Array(60).fill(paused(NOWHERE))],
    ],
    ['one that is seen only in the pause after it', 1, [paused(NOWHERE), paused(NOWHERE)]],
    ['another after a pause', 2, [tried(NOWHERE), paused(NOWHERE), tried(NOWHERE), tried(NOWHERE)]],
    ['another with other words', 2, [tried(NOWHERE.replace('53:', '54:')), tried(NOWHERE)]],
    [
      'of a kubelet whose pauses do not say why',
      2,
      [tried(NOWHERE), waits('ImagePullBackOff', 'Back-off pulling image "r.test/c:1"'), tried(NOWHERE)],
    ],
    [
      'of a container that has run before',
      2,
      [tried(NOWHERE), waits('CrashLoopBackOff', 'back-off 40s restarting'), tried(NOWHERE)],
    ],
    [
      'of a long message, which is cut',
      1,
      [tried(NOWHERE + 'x'.repeat(940)), paused(`${NOWHERE}${'x'.repeat(880)}…`)],
    ],
    [
      'none in a row where something else went wrong in between',
      1,
      [tried(NOWHERE), paused(NOWHERE), tried(NOBODY)],
    ],
    [
      'none in a row where the registry answered in between',
      1,
      [tried(NOWHERE), tried('503 Service Unavailable'), tried(NOWHERE)],
    ],
    ['none of an image that came', 1, [tried(NOWHERE), paused(NOWHERE), runs, tried(NOWHERE)]],
    ['none of anything else', 0, [tried('not found'), paused('not found'), tried('not found')]],
  ])('%s', (_, count, seen) => {
    expect(counted(...seen)).toBe(count);
  });

  test('are those of this container of this pod', () => {
    const pulls = new FailedPulls();
    pulls.observe('u0', [tried(NOWHERE), { ...tried(NOWHERE), name: 'sidecar' }]);
    pulls.observe('u0', [paused(NOWHERE)]);
    pulls.observe('u0', [tried(NOWHERE)]);
    expect([pulls.of('u0', 'consul'), pulls.of('u0', 'sidecar'), pulls.of('u1', 'consul')]).toEqual([
      2, 1, 0,
    ]);
  });

  test.each([
    [NOWHERE, 1, 120_000],
    [NOWHERE, 2, 25_000],
    [NOBODY, 2, 120_000],
    [NOBODY, 3, 50_000],
    ['503 Service Unavailable', 9, 120_000],
  ])('%s, %i times: how long it may last', (message, failed, graceMs) => {
    const shown = (one: ContainerView) =>
      podSymptoms(ailing({ containers: [one] }), context({ failedPulls: () => failed }))[0];
    expect(shown(tried(message))?.graceMs).toBe(graceMs);
    expect(shown(paused(message))?.graceMs).toBe(graceMs);
  });
});
