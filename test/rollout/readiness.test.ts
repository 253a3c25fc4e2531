import { describe, expect, test } from 'vitest';
import { Observation } from '../../src/rollout/observation.ts';
import { podView } from '../../src/rollout/pod.ts';
import { ReadinessLog, readinessOf } from '../../src/rollout/readiness.ts';
import { pod, raw } from './fixture.ts';

const at = (second: number) => `2026-11-24T12:00:${String(second).padStart(2, '0')}Z`;
const ms = (second: number) => Date.parse(at(second));

/** A ready pod as the API server stores it. */
function status(turned: string, started: string) {
  return {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: turned }],
    containerStatuses: [{ name: 'consul', state: { running: { startedAt: started } } }],
  };
}
const written = (time: string, subresource = 'status') => ({
  managedFields: [{ manager: 'kubelet', operation: 'Update', time, subresource }],
});

describe('the status says since when a pod is ready:', () => {
  test.each([
    ['since its condition turned', at(5), at(1), at(5), 5],
    ['not before its container started', at(5), at(8), at(8), 8],
    ['not before the API server was told, whatever the clock of the node', at(5), at(1), at(40), 40],
    ['by the clock of a node that is ahead, when that is all there is', at(50), at(1), at(9), 50],
    ['not before its container started, by the clock of a node that is ahead', at(5), at(50), at(9), 50],
  ])('%s', (_, turned, started, told, since) => {
    const view = podView(raw('Pod', written(told) as object, { status: status(turned, started) }));
    expect(view.readiness).toMatchObject({ sinceMs: ms(since) });
  });

  test.each([
    ['the API server does not say when it was told', {}],
    ['only another part of the pod was dated', written(at(5), 'metadata')],
  ])('not at all when %s', (_, metadata) => {
    const view = podView(raw('Pod', metadata as object, { status: status(at(5), at(1)) }));
    expect(view.ready).toBe(true);
    expect(view.readiness).not.toHaveProperty('sinceMs');
  });

  test('not at all without a time of the condition', () => {
    const metadata = { name: 'a', ...written(at(5)) } as never;
    expect(readinessOf(metadata, { conditions: [{ type: 'Ready', status: 'True' }] })).not.toHaveProperty(
      'sinceMs',
    );
  });

  test('by the last change of the status that is dated, where another one is not', () => {
    const { managedFields } = written(at(40));
    const undated = { manager: 'x', operation: 'Update', subresource: 'status' };
    const metadata = { name: 'a', managedFields: [undated, ...managedFields] } as never;
    expect(readinessOf(metadata, status(at(5), at(1)))).toMatchObject({ sinceMs: ms(40) });
  });

  test('by its readiness alone, whatever other conditions turned later', () => {
    const { conditions, ...rest } = status(at(5), at(1));
    const other = { type: 'PodScheduled', status: 'True', lastTransitionTime: at(50) };
    const metadata = { name: 'a', ...written(at(9)) } as never;
    const found = readinessOf(metadata, { ...rest, conditions: [other, ...conditions] });
    expect(found).toMatchObject({ sinceMs: ms(9) });
  });

  test('not at all of one that is not ready', () => {
    const found = { ...status(at(5), at(1)), conditions: [{ type: 'Ready', status: 'False' }] };
    expect(podView(raw('Pod', written(at(5)) as object, { status: found }))).not.toHaveProperty('readiness');
  });
});

describe('the mark of a pod that is ready', () => {
  const mark = (change: object) => readinessOf({ name: 'a' }, { ...status(at(5), at(1)), ...change }).mark;
  const container = (startedAt: string) => ({ name: 'a', state: { running: { startedAt } } });

  test.each([
    ['its condition turns again', { conditions: status(at(6), at(1)).conditions }],
    ['a container of it starts again', { containerStatuses: [container(at(6))] }],
    ['a second container of it starts', { containerStatuses: [container(at(1)), container(at(6))] }],
    ['an init container of it that stays starts', { initContainerStatuses: [container(at(6))] }],
  ])('is another one when %s', (_, change) => {
    expect(mark(change)).not.toBe(mark({}));
  });

  test('is the same while nothing of that happens', () => {
    const waiting = { name: 'b', state: { waiting: { reason: 'PodInitializing' } } };
    expect(mark({})).toBe(mark({ containerStatuses: [container(at(1)), waiting, { name: 'c' }] }));
    expect(readinessOf({ name: 'a' }, {})).toEqual({ mark: '' });
  });
});

describe('a pod counts as ready', () => {
  const ready = (mark: string) => ({ uid: 'a', ready: true, readiness: { mark } });
  const unready = { uid: 'a', ready: false };

  test('since it was first seen so, through changes of anything else', () => {
    const log = new ReadinessLog();
    log.observe(ready('one'), 100);
    log.observe(ready('one'), 900);
    expect([log.since('a'), log.losses('a', 900)]).toEqual([100, []]);
  });

  test('again after each loss, which is counted', () => {
    const log = new ReadinessLog();
    log.observe(unready, 50);
    expect([log.since('a'), log.losses('a', 50)]).toEqual([undefined, []]);
    log.observe(ready('one'), 100);
    log.observe(unready, 200);
    expect(log.since('a')).toBeUndefined();
    log.observe(ready('two'), 300);
    expect([log.since('a'), log.losses('a', 300)]).toEqual([300, [100]]);
    expect(log.losses('a', 200 + 60_000)).toEqual([]);
  });

  test('again after a loss that only its times tell, as after a watch was interrupted', () => {
    const log = new ReadinessLog();
    log.observe(ready('one'), 100);
    log.observe(ready('two'), 300);
    expect([log.since('a'), log.losses('a', 300)]).toEqual([300, [0]]);
  });

  test('not at all, and without losses, where it was never seen', () => {
    const log = new ReadinessLog();
    expect([log.since('a'), log.losses('a', 100)]).toEqual([undefined, []]);
  });

  test('no longer when it is deleted; and one of the same name is another', () => {
    let now = 100;
    const observation = new Observation(() => now);
    const one = pod('consul-client-0');
    observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
    now = 200;
    expect(observation.readySince(one.uid)).toBe(100);
    observation.apply('Pod', { type: 'delete', uid: one.uid });
    expect(observation.readySince(one.uid)).toBeUndefined();
    observation.apply('Pod', { type: 'upsert', uid: 'other', object: { ...one, uid: 'other' } });
    expect(observation.readySince('other')).toBe(200);
  });

  test('by the clock of this process, where no other one is given', () => {
    const observation = new Observation();
    const one = pod('consul-client-0');
    const before = performance.now();
    observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
    expect(observation.readySince(one.uid)).toBeGreaterThanOrEqual(before);
    expect(observation.readySince(one.uid)).toBeLessThanOrEqual(performance.now());
  });

  test('again when it loses and regains its readiness before anybody looks', () => {
    let now = 100;
    const observation = new Observation(() => now);
    const one = pod('consul-client-0');
    const tell = (isReady: boolean) =>
      observation.apply('Pod', { type: 'upsert', uid: one.uid, object: { ...one, ready: isReady } });
    tell(true);
    now = 300;
    tell(false);
    tell(true);
    expect(observation.readySince(one.uid)).toBe(300);
    expect(observation.readinessLosses(one.uid)).toEqual([0]);
  });
});
