import { describe, expect, test } from 'vitest';
import { consoleReport } from '../../src/report/console.ts';
import { cancelled, failure, HOSTILE, hostile, success } from './example.ts';

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
