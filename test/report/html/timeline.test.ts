import { describe, expect, test } from 'vitest';
import { joinParts } from '../../../src/report/html/part.ts';
import { timeline } from '../../../src/report/html/timeline.ts';
import type { Phase, PhaseStep, Result } from '../../../src/report/result.ts';
import { success } from '../example.ts';
import { all, cells, type Element, readHtml } from './read.ts';

function drawn(rest: Partial<Result>): Element {
  const body = joinParts(timeline(success({ timings: {}, durationMs: 1000, ...rest })), 500_000);
  return readHtml(`<!doctype html><html lang="en"><title>x</title><body>${body}</body></html>`);
}

const phase = (name: Phase['name'], startMs: number, endMs: number, rest: Partial<Phase> = {}): Phase => ({
  ...{ name, startMs, endMs, status: 'passed' },
  ...rest,
});
const step = (name: string, startMs: number, endMs: number, rest: Partial<PhaseStep> = {}): PhaseStep => ({
  ...{ name, startMs, endMs, status: 'passed' },
  ...rest,
});
const classed = (root: Element, name: string) =>
  all(root).filter(({ attributes }) => attributes.class?.split(' ').includes(name));
/** Where each bar begins, and how wide it is. */
const bars = (root: Element) => classed(root, 'span').map(({ attributes: { x, width } }) => `${x} ${width}`);

describe('the timeline of the page', () => {
  test('is left out where no phase began', () => expect(timeline(success({ phases: [] }))).toEqual([]));

  test('has a row for each phase, each of its steps, and each moment that was reached, in their order', () => {
    const steps = [step('consul-server-1', 200, 350), step('consul-server-0', 350, 500)];
    const root = drawn({
      phases: [phase('read', 0, 200), phase('apply', 200, 500, { steps })],
      timings: { 'servers-ready': 480, 'first-write': 210 },
    });
    expect(all(root, 'h2').map(({ text }) => text)).toEqual(['Timeline: 1 s']);
    expect(all(root, 'caption').map(({ text }) => text)).toEqual([
      'When each phase began, and how long it took. Some overlap.',
    ]);
    expect(cells(root)).toEqual([
      ['What', '0 s to 1 s', 'Began', 'Took'],
      ['Read the snapshot', '', '0 ms', '0.2 s'],
      ['Apply', '', '0.2 s', '0.3 s'],
      ['consul-server-1', '', '0.2 s', '0.2 s'],
      ['consul-server-0', '', '0.4 s', '0.2 s'],
      ['First write', '', '0.2 s', ''],
      ['Servers ready', '', '0.5 s', ''],
    ]);
    expect(
      all(root, 'th')
        .slice(0, 4)
        .map(({ attributes }) => attributes.class),
    ).toEqual(['', 'wide', 'figure', 'figure']);
    expect(
      classed(root, 'timeline').map(({ name, children }) => [name, children.map(({ name }) => name)]),
    ).toEqual([['div', ['table']]]);
  });

  test('sets bars in parts of the whole, which ends with the run or with its last phase', () => {
    const phases = [phase('read', 0, 250), phase('apply', 250, 1000)];
    expect(bars(drawn({ phases }))).toEqual(['0.00% 25.00%', '25.00% 75.00%']);
    expect(bars(drawn({ phases, durationMs: 2000 }))).toEqual(['0.00% 12.50%', '12.50% 37.50%']);
    expect(bars(drawn({ phases, durationMs: 500 }))).toEqual(['0.00% 25.00%', '25.00% 75.00%']);
    expect(bars(drawn({ phases: [phase('read', 0, 0)], durationMs: 0 }))).toEqual(['0.00% 0.00%']);
    // Clocks may be set while a run goes on.
    expect(bars(drawn({ phases: [phase('read', -500, 500), phase('apply', 500, 400)] }))).toEqual([
      '0.00% 100.00%',
      '50.00% 0.00%',
    ]);
  });

  test('draws what is too short to be seen as thin as can be seen, at its place', () => {
    const least = classed(drawn({ phases: [phase('read', 250, 250)] }), 'least')[0] ?? expect.unreachable();
    expect(least.attributes).toMatchObject({ x: '25.00%', width: '2' });
  });

  test('sets the mark of a moment at its place', () => {
    const mark = classed(drawn({ phases: [phase('read', 0, 1)], timings: { verdict: 750 } }), 'mark')[0];
    expect(all(mark ?? expect.unreachable(), 'svg')[1]?.attributes.x).toBe('75.00%');
  });

  test('tells phases and steps apart, and marks those that failed by look and word', () => {
    const steps = [step('a-1', 0, 100), step('a-0', 100, 200, { status: 'failed' })];
    const root = drawn({
      phases: [phase('apply', 0, 200, { steps, status: 'failed' }), phase('wait', 0, 1)],
    });
    expect(classed(root, 'bar').map(({ attributes }) => attributes.class)).toEqual([
      'bar phase failed',
      'bar inner passed',
      'bar inner failed',
      'bar phase passed',
    ]);
    expect(
      cells(root)
        .slice(1)
        .map(([what]) => what),
    ).toEqual(['Applyfailed', 'a-1', 'a-0failed', 'Wait for servers and clients']);
  });

  test('says what a step waited for, and for how long', () => {
    const waits = [
      { what: 'consul-server-0 is not ready', ms: 100 },
      { what: 'the leader', ms: 50 },
    ];
    const root = drawn({
      phases: [phase('apply', 0, 200, { steps: [step('a-1', 0, 100, { waits }), step('a-0', 1, 2)] })],
    });
    expect(classed(root, 'waits').map(({ children }) => children.map(({ text }) => text))).toEqual([
      ['0.1 s for: consul-server-0 is not ready', '50 ms for: the leader'],
    ]);
  });

  test('shows forty steps of a phase, the longest, and one for all others', () => {
    const steps = (count: number) =>
      Array.from({ length: count }, (_, index) => step(`c-${index}`, index, 2 * index + 1));
    const names = (count: number) =>
      classed(drawn({ phases: [phase('apply', 0, 200, { steps: steps(count) })] }), 'step').map(
        ({ text }) => text,
      );
    expect(names(40)).toHaveLength(40);
    expect(names(40)).not.toContain('… and 1 more');
    expect(names(42)).toHaveLength(40);
    expect(names(42)[0]).toBe('c-3');
    expect(names(42).at(-1)).toBe('… and 3 more');
  });
});
