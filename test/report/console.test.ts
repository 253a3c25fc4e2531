import { expect, test } from 'vitest';
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

test('shows fifty lines of evidence and says how many there are more', () => {
  const details = Array.from({ length: 60 }, (_, index) => `event ${index}`);
  const lines = consoleReport(failure({ failure: { reason: 'timeout', what: 'x', details } })).map((line) =>
    line.trim(),
  );
  expect(lines).toContain('event 49');
  expect(lines).not.toContain('event 50');
  expect(lines).toContain('and 10 more lines');
});
