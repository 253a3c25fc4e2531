import { describe, expect, test } from 'vitest';
import type { PhaseStep } from '../../../src/report/result.ts';
import { mostTelling, timeline } from '../../../src/report/section/timeline.ts';
import { failure, success } from '../example.ts';

test('marks the failed phase and no other', () => {
  const marked = timeline(failure())
    .split('\n')
    .filter((line) => line.includes(':crit, '));
  expect(marked).toEqual(['    Wait for servers and clients, 9 min 59 s :crit, 00:00:01.290, 00:10:00.000']);
});

test('gives a phase of no length a bar that can be drawn', () => {
  const phases = [{ name: 'read', startMs: 5, endMs: 5, status: 'passed' }] as const;
  expect(timeline(success({ phases: [...phases] }))).toContain(':00:00:00.005, 00:00:00.006');
});

test('lets no name of a moment into the syntax', () => {
  const text = timeline(success({ timings: { 'a: b; c\n    section x %% #': 5 } }));
  expect(text).toContain('    A b c section x, 5 ms :milestone, 00:00:00.005, 0ms');
});

test('is left out when no phase began', () => expect(timeline(success({ phases: [] }))).toBe(''));

describe('steps within a phase', () => {
  const steps = (count: number, name = (index: number) => `consul-client-${index}`): PhaseStep[] =>
    Array.from({ length: count }, (_, index) => ({
      name: name(index),
      startMs: 1_000 * index,
      endMs: 1_000 * index + 500 + index,
      status: 'passed',
    }));
  const drawn = (list: PhaseStep[]) => {
    const apply = { name: 'apply', startMs: 0, endMs: 60_000, status: 'passed', steps: list } as const;
    return timeline(success({ phases: [apply], timings: {} })).split('\n');
  };

  test('have a bar each in a section of their own', () => {
    expect(drawn(steps(2)).slice(4)).toEqual([
      '    section Phases',
      '    Apply, 1 min :00:00:00.000, 00:01:00.000',
      '    section Apply, one by one',
      '    consul-client-0, 0.5 s :00:00:00.000, 00:00:00.500',
      '    consul-client-1, 0.5 s :00:00:01.000, 00:00:01.501',
      '```',
    ]);
  });

  test('that failed are marked', () => {
    const [first, second] = steps(2) as [PhaseStep, PhaseStep];
    const marked = drawn([first, { ...second, status: 'failed' }]).filter((line) => line.includes(':crit'));
    expect(marked).toEqual(['    consul-client-1, 0.5 s :crit, 00:00:01.000, 00:00:01.501']);
  });

  test('are twenty bars at most: the longest, those that failed, and one for all others', () => {
    const many = steps(5_000);
    const failed = { ...many[7], status: 'failed' } as PhaseStep;
    const bars = drawn(many.with(7, failed)).slice(7, -1);
    expect(bars).toHaveLength(20);
    expect(bars[0]).toContain('consul-client-7, 0.5 s :crit, ');
    expect(bars[18]).toContain('consul-client-4999, ');
    expect(bars[19]).toBe('    … and 4981 more, 1 h 23 min :00:00:00.000, 01:23:06.481');
    expect(drawn(steps(20)).slice(7, -1)).toHaveLength(20);
    expect(drawn(steps(20)).join('\n')).not.toContain('more');
  });

  test('let no name into the syntax', () => {
    const hostile = ['a: b; c\n    section x %% #', 'section x', 'click a href "javascript:x"', '***', '```'];
    for (const line of drawn(steps(hostile.length, (index) => hostile[index] ?? '')).slice(7, -1)) {
      expect(line).toMatch(/^ {4}pod[a-zA-Z0-9 -]*, 0\.5 s :[0-9:.]+, [0-9:.]+$/);
    }
  });
});

describe('the chart', () => {
  test('is Mermaid, with phases and what was reached, in the order of time', () => {
    const phases = [{ name: 'read', startMs: 0, endMs: 60_000, status: 'passed' }] as const;
    const timings = { 'servers-ready': 2000, 'first-write': 1000 };
    expect(timeline(success({ phases: [...phases], timings, durationMs: 5000 })).split('\n')).toEqual([
      '```mermaid',
      'gantt',
      '    dateFormat HH:mm:ss.SSS',
      '    axisFormat %M:%S',
      '    section Phases',
      '    Read the snapshot, 1 min :00:00:00.000, 00:01:00.000',
      '    section Reached',
      '    First write, 1 s :milestone, 00:00:01.000, 0ms',
      '    Servers ready, 2 s :milestone, 00:00:02.000, 0ms',
      '```',
    ]);
  });

  test('has an axis of parts of a second where the run took less than five', () => {
    expect(timeline(success({ durationMs: 4999 }))).toContain('\n    axisFormat %S.%L\n');
  });

  test('has no moment before the start, and none between milliseconds', () => {
    const phases = [{ name: 'read', startMs: -5, endMs: 10.6, status: 'passed' }] as const;
    expect(timeline(success({ phases: [...phases] }))).toContain(', 16 ms :00:00:00.000, 00:00:00.011\n');
  });

  test.each([
    ['consul-server-2', 'consul-server-2'],
    ['clients 1 to 5 of 10', 'clients 1 to 5 of 10'],
    ['my clients 1', 'pod my clients 1'],
    ['x'.repeat(70), `pod ${'x'.repeat(63)}`],
    [`a-${'x'.repeat(70)}`, `a-${'x'.repeat(61)}`],
    ['?!', 'pod'],
    ['a*#b', 'pod a b'],
    ['section x-1', 'pod section x-1'],
    ['Über-pod', 'ber-pod'],
  ])('names the step %s', (name, label) => {
    const steps: PhaseStep[] = [{ name, startMs: 0, endMs: 5, status: 'passed' }];
    const phases = [{ name: 'apply' as const, startMs: 0, endMs: 5, status: 'passed' as const, steps }];
    expect(timeline(success({ phases, timings: {} }))).toContain(`\n    ${label}, 5 ms :`);
  });

  test('shortens the name of a moment', () => {
    expect(timeline(success({ timings: { [`a-${'b'.repeat(60)}`]: 5 } }))).toContain(
      `\n    A ${'b'.repeat(38)}, 5 ms :milestone`,
    );
  });
});

describe('the most telling of many steps', () => {
  const step = (
    name: string,
    startMs: number,
    endMs: number,
    status: PhaseStep['status'] = 'passed',
  ): PhaseStep => ({
    name,
    startMs,
    endMs,
    status,
  });

  test('are all of them where they fit', () => {
    const steps = [step('a', 0, 1), step('b', 1, 2)];
    expect(mostTelling(steps, 2)).toEqual({ shown: steps, rest: undefined });
  });

  test('are those that failed and the longest, in their order; the others are one from the first to the last', () => {
    const [a, b, c, d] = [step('a', 50, 52), step('b', 6, 16), step('c', 3, 4), step('d', 8, 8, 'failed')];
    expect(mostTelling([a, b, c, d], 3)).toEqual({
      shown: [b, d],
      rest: { name: '… and 2 more', startMs: 3, endMs: 52, status: 'passed' },
    });
    expect(mostTelling([d, a, { ...b, status: 'failed' }, c], 2).rest).toMatchObject({
      status: 'failed',
      endMs: 52,
    });
  });
});
