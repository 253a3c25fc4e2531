import { describe, expect, test } from 'vitest';
import type { PhaseStep } from '../../../src/report/result.ts';
import { timeline } from '../../../src/report/section/timeline.ts';
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
