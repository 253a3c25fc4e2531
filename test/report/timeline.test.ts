import { expect, test } from 'vitest';
import { timeline } from '../../src/report/timeline.ts';
import { failure, success } from './example.ts';

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
