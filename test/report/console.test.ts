import { describe, expect, test } from 'vitest';
import { consoleReport } from '../../src/report/console.ts';
import { cancelled, failure, HOSTILE, hostile, planned, success } from './example.ts';

test.each([
  ['success', success()],
  ['failure', failure()],
  ['cancellation', cancelled()],
  ['a render', success({ mode: 'render', checks: [], manifestsPath: 'out.yaml' })],
])('closes the log of %s', (_, result) => expect(`${consoleReport(result).join('\n')}\n`).toMatchSnapshot());

test.each(Object.entries(HOSTILE))('keeps one entry on one line of bounded length: %s', (_, text) => {
  const lines = consoleReport(hostile(text));
  expect(lines).toHaveLength(consoleReport(hostile('calm words')).length + (text.length > 1000 ? 1 : 0));
  for (const line of lines) {
    expect(line).not.toMatch(/\p{Cc}/u);
    expect(line.length).toBeLessThan(2100);
  }
});

describe('on a terminal', () => {
  const long = failure({
    checks: [
      {
        ...{ id: 'a', group: 'quorum', title: 'Leader', status: 'failed', durationMs: 1200 },
        ...{
          expected: 'every server names the same leader',
          observed: 'one of them names another one '.repeat(4),
        },
      },
      {
        ...{ id: 'b', group: 'quorum', title: 'Voters', status: 'passed', durationMs: 900 },
        ...{ expected: 'all three of them', observed: 'consul-server-0, consul-server-1, consul-server-2' },
      },
    ],
  });

  test('the checks fit, and what is not green says what was expected', () => {
    const lines = consoleReport(long, 60);
    const first = lines.findIndex((line) => line.includes('OBSERVED'));
    const table = lines.slice(first, lines.indexOf('', first));
    expect(table).toEqual([
      '     CHECK    TIME  OBSERVED',
      '  ✗  Leader  1.2 s  one of them names another one one of',
      '                    them names another one one of them names',
      '                    another one one of them names another',
      '                    one',
      '                    expected: every server names the same',
      '                    leader',
      '  ✓  Voters  0.9 s  consul-server-0, consul-server-1,',
      '                    consul-server-2',
    ]);
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test('a narrow one still has room for what was observed, and a long word stays whole', () => {
    const [word] = 'x'.repeat(90).split(' ');
    const lines = consoleReport(
      failure({ checks: long.checks.map((one) => ({ ...one, observed: `${word} is it` })) }),
      10,
    );
    expect(lines.filter((line) => line.includes(`${word}`)).every((line) => line.endsWith(`${word}`))).toBe(
      true,
    );
    expect(lines).toContain('                    is it');
  });
});

test('what many checks observe alike is said once', () => {
  const observed = 'consul-server-0 ImagePullBackOff: Back-off pulling image';
  const check = { id: 'a', group: 'quorum', status: 'failed', expected: 'x', durationMs: 1200 } as const;
  const checks = ['Leader', 'Voters', 'Version'].map((title) => ({ ...check, title, observed }));
  const short = { ...check, title: 'Stable', observed: 'not yet' };
  const green = {
    ...check,
    title: 'Members',
    status: 'passed',
    observed: 'the same on every server',
  } as const;
  const all = [...checks, short, short, green, green];
  const lines = consoleReport(failure({ checks: all })).map((line) => line.trim());
  expect(lines.filter((line) => line.endsWith(observed))).toHaveLength(1);
  expect(lines.filter((line) => line.endsWith(green.observed))).toHaveLength(2);
  expect(lines.filter((line) => /^✗ {2}(Voters|Version) .*as above$/.test(line))).toHaveLength(2);
  expect(lines.filter((line) => line.endsWith('not yet'))).toHaveLength(2);
});

test('shows fifty lines of evidence and says how many there are more', () => {
  const details = Array.from({ length: 60 }, (_, index) => `event ${index}`);
  const lines = consoleReport(failure({ failure: { reason: 'timeout', what: 'x', details } })).map((line) =>
    line.trim(),
  );
  expect(lines).toContain('event 49');
  expect(lines).not.toContain('event 50');
  expect(lines).toContain('and 10 more lines');
});

test('leaves out what is not known, down to the verdict alone', () => {
  const { uiCommand: _u, failure: _f, ...silent } = failure();
  const left = '  Left as  running what was applied; the lock is released';
  expect(consoleReport({ ...silent, checks: [], warnings: [], objects: [] })).toEqual([
    '',
    '✗ Consul is not proven: no cause given',
    '',
    left,
  ]);
  const bare = { reason: 'image', what: 'x', details: [] } as const;
  const told = consoleReport({
    ...silent,
    failure: { ...bare, details: [] },
    checks: [],
    warnings: [],
    objects: [],
  });
  expect(told.slice(-2)).toEqual(['', left]);
});

test.each([
  [50, []],
  [51, ['  and 1 more change']],
  [60, ['  and 10 more changes']],
])('shows fifty of %i changes of a plan', (count, more) => {
  const plan = Array.from({ length: count }, (_, index) => ({
    ...{ kind: 'ConfigMap', name: `m${index}`, consequence: 'create' as const, fields: [], notes: [] },
  }));
  const lines = consoleReport(planned({ plan }));
  const shown = lines.slice(3, lines.indexOf('', 3));
  expect(shown.slice(0, 50)).toEqual(plan.slice(0, 50).map(({ name }) => `  create: ConfigMap/${name}`));
  expect(shown.slice(50)).toEqual(more);
});

test('shows the plan of a run that is about it, and not that of a deploy', () => {
  const { plan = [] } = planned();
  expect(consoleReport(planned())).toContain('  delete: Service/old');
  expect(consoleReport(success({ plan })).join('\n')).not.toContain('Service/old');
  const { plan: _, ...none } = planned();
  expect(consoleReport(none)[3]).toBe('  Left as  Nothing was changed.');
});

test('repeats the cause where the headline had no room for it', () => {
  const what = `${'a long story '.repeat(40)}and its end`;
  const lines = consoleReport(failure({ failure: { reason: 'conflict', what, details: [] } }));
  expect(lines.filter((line) => line.startsWith('  Cause'))).toEqual([`  Cause    ${what}`]);
});

test.each([
  [50, 50],
  [51, 50],
])('of %i lines of evidence shows %i', (count, shown) => {
  const details = Array.from({ length: count }, (_, index) => `event ${index}`);
  const lines = consoleReport(failure({ failure: { reason: 'timeout', what: 'x', details } }));
  expect(lines.filter((line) => line.includes(' event '))).toHaveLength(shown);
  expect(lines.filter((line) => line.includes('more line'))).toEqual(
    count > shown ? [`${' '.repeat(12)}and 1 more line`] : [],
  );
});

test('sets columns by characters, of which some are two units long', () => {
  const [check = expect.unreachable()] = success().checks;
  const checks = ['😀😀', 'abcd'].map((expected) => ({ ...check, title: 'A', expected, observed: 'seen' }));
  const rows = consoleReport(success({ checks })).slice(4, 6);
  expect(rows).toEqual(['  ✓  A      3.2 s  😀😀        seen', '  ✓  A      3.2 s  abcd      seen']);
});

test('shows of an inspection fifty rows of what differs, under one head, and of a deploy none', () => {
  const none = { total: 0, names: [] };
  const same = { onlyHere: none, onlyThere: none, changed: none };
  const difference = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `k${index}`);
    const keys = { ...same, onlyHere: { total: count, names } };
    return { with: 'cluster', index: 1, total: count, keys, nodes: same, services: same, counts: [] };
  };
  const rows = (count: number, mode: 'inspect' | 'deploy' = 'inspect') => {
    const lines = consoleReport(success({ mode, checks: [], difference: difference(count) }));
    const start = lines.findIndex((line) => line.startsWith('  DIFFERS'));
    return start < 0 ? [] : lines.slice(start, lines.indexOf('', start));
  };
  expect(rows(2)).toEqual([
    '  DIFFERS',
    '  key      only in the snapshot  k0',
    '  key      only in the snapshot  k1',
  ]);
  expect(rows(0)).toEqual([]);
  expect(rows(2, 'deploy')).toEqual([]);
  // The head is one of fifty.
  expect(rows(49)).toHaveLength(50);
  expect(rows(49).at(-1)).toBe('  key      only in the snapshot  k48');
  expect(rows(50).slice(-2)).toEqual(['  key         only in the snapshot  k48', '  and 1 more']);
});
