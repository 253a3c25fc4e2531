import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Log, type LogOptions } from '../../src/report/log.ts';
import { Secrets } from '../../src/report/secret.ts';
import { HOSTILE } from './example.ts';
import { runnerCommands } from './runner.ts';

function record(options: LogOptions = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = new Log({
    style: 'plain',
    now: () => Date.now(),
    ...options,
    write: (line) => lines.push(line),
  });
  return { log, lines };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('lines', () => {
  test('carry the time since the start, aligned', () => {
    const { log, lines } = record();
    vi.advanceTimersByTime(3240);
    log.info('one\ntwo');
    vi.advanceTimersByTime(100_000);
    log.info('three');
    expect(lines).toEqual(['  +3.2 s  one', '          two', '+103.2 s  three']);
  });

  test.each([
    ['quiet', ['warning: w', 'end']],
    ['info', ['▸ g', 'i', 'p', 'warning: w', 'end']],
    ['debug', ['▸ g', 'i', 'd', 'p', 'warning: w', 'end']],
  ] as const)('at level %s', (level, expected) => {
    const { log, lines } = record({ level });
    log.group('g');
    log.info('i');
    log.debug('d');
    log.progress('p');
    log.warning('w');
    log.annotation({ title: 't', message: 'm' });
    log.closing(['end']);
    expect(lines.map((line) => line.replace(/^ *\+0\.0 s {2}/, ''))).toEqual(expected);
  });

  test('in Actions are grouped one phase after the other, with the annotation outside', () => {
    const { log, lines } = record({ style: 'actions' });
    log.group('Apply');
    log.group('Prove: 1');
    log.warning('50% of clients');
    log.annotation({ title: 'a:b', message: 'c\nd' });
    log.closing(['end']);
    expect(lines).toEqual([
      '::group::Apply',
      '::endgroup::',
      '::group::Prove: 1',
      '::warning::50%25 of clients',
      '::endgroup::',
      '::error title=a%3Ab::c%0Ad',
      'end',
    ]);
  });

  test.each(Object.entries(HOSTILE))('never command the runner: %s', (_, text) => {
    const { log, lines } = record({ style: 'actions', level: 'debug' });
    log.info(text);
    log.debug(text);
    log.progress(text);
    log.closing([text]);
    expect(runnerCommands(lines)).toEqual([]);
    expect(lines.join('\n')).not.toMatch(/(?!\n)\p{Cc}/u);
    log.group(text);
    log.warning(text);
    log.annotation({ title: text, message: text });
    const names = runnerCommands(lines.splice(0)).map((line) => line.match(/^::(\w+)/)?.[1]);
    expect(names).toEqual(['group', 'warning', 'endgroup', 'error']);
  });
});

describe('unless told otherwise', () => {
  const written = (run: (log: Log) => void) => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    run(new Log());
    const lines = stdout.mock.calls.map(([line]) => line);
    stdout.mockRestore();
    return lines;
  };
  const all = (log: Log) => {
    log.group('Apply');
    log.info('i');
    log.debug('d');
    log.endGroup();
    log.endGroup();
  };

  test('lines go to stdout, at the level info, by the clock of this process', () => {
    vi.stubEnv('GITHUB_ACTIONS', '');
    const lines = written((log) => {
      all(log);
      vi.advanceTimersByTime(2500);
      log.info('later');
    });
    expect(lines).toEqual(['▸ Apply\n', '  +0.0 s  i\n', '  +2.5 s  later\n']);
    vi.unstubAllEnvs();
  });

  test('they are for a runner where there is one', () => {
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    expect(written(all)).toEqual(['::group::Apply\n', '  +0.0 s  i\n', '::endgroup::\n']);
    vi.unstubAllEnvs();
  });
});

describe('a secret', () => {
  // Such that every way of making a line safe would change it, and be redacted too late.
  const SECRET = '::se%ret\n##[of two]';
  // Without what nobody sees it is one again.
  const HIDDEN = 'hunter\u200b-\u001b[1msecret\u001b[0m';

  test.each(['plain', 'actions'] as const)('is not in any line, %s', (style) => {
    const secrets = new Secrets();
    for (const secret of [SECRET, 'hunter-secret']) secrets.add(secret);
    const { log, lines } = record({ style, level: 'debug', secrets });
    for (const text of [SECRET, HIDDEN]) {
      log.group(text);
      log.info(text);
      log.debug(text);
      log.progress(text);
      log.warning(text);
      log.annotation({ title: text, message: text });
      log.closing([text]);
    }
    vi.advanceTimersByTime(1000);
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.join('\n')).not.toMatch(/ret|of two|hunter/);
  });

  test('is redacted from the moment it is known', () => {
    const secrets = new Secrets();
    const { log, lines } = record({ secrets });
    log.info('hunter-secret');
    secrets.add('hunter-secret');
    log.info('hunter-secret');
    expect(lines).toEqual(['  +0.0 s  hunter-secret', '  +0.0 s  ***']);
  });
});

describe('progress', () => {
  test('is printed when it changes, each wait by itself', () => {
    const { log, lines } = record();
    for (const ready of [1, 1, 2, 2]) {
      log.progress(`${ready} of 3 servers`, 'servers');
      log.progress('0 of 10 clients', 'clients');
      vi.advanceTimersByTime(1000);
    }
    expect(lines.map((line) => line.slice(10))).toEqual([
      '1 of 3 servers',
      '0 of 10 clients',
      '2 of 3 servers',
    ]);
  });

  test('is printed at most once a second, and the last word is not lost', () => {
    const { log, lines } = record();
    for (const ready of [0, 1, 2, 3]) log.progress(`${ready} of 10 clients`);
    expect(lines.map((line) => line.slice(10))).toEqual(['0 of 10 clients']);
    vi.advanceTimersByTime(1000);
    expect(lines.map((line) => line.slice(10))).toEqual(['0 of 10 clients', '3 of 10 clients']);
    log.progress('4 of 10 clients');
    log.settled();
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
  });
});

describe('progress within a second', () => {
  test('is printed when the second is over, and the next second begins there', () => {
    const { log, lines } = record();
    const told = () => lines.splice(0).map((line) => line.trim());
    log.progress('a');
    vi.advanceTimersByTime(400);
    log.progress('b');
    vi.advanceTimersByTime(599);
    expect(told()).toEqual(['+0.0 s  a']);
    vi.advanceTimersByTime(1);
    expect(told()).toEqual(['+1.0 s  b']);
    vi.advanceTimersByTime(999);
    log.progress('c');
    expect(told()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told()).toEqual(['+2.0 s  c']);
    vi.advanceTimersByTime(1000);
    log.progress('d');
    expect(told()).toEqual(['+3.0 s  d']);
  });

  test('is forgotten once the log stops, and keeps no process alive', () => {
    const { log, lines } = record();
    const timer = vi.spyOn(globalThis, 'setTimeout');
    log.progress('a');
    log.progress('b');
    const [wait] = timer.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(wait?.hasRef()).toBe(false);
    log.stop();
    expect([vi.getTimerCount(), log.status()]).toEqual([0, '']);
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(1);
    timer.mockRestore();
  });

  test('of a wait that is over and begins again is told at once', () => {
    const { log, lines } = record();
    log.progress('a');
    log.settled();
    log.progress('a');
    expect(lines).toEqual(['  +0.0 s  a', '  +0.0 s  a']);
  });
});

describe('the heartbeat', () => {
  test('breaks every silence of 15 s and says for how long the wait has lasted', () => {
    const { log, lines } = record();
    log.startHeartbeat();
    vi.advanceTimersByTime(3000);
    log.progress('servers 2 of 3');
    vi.advanceTimersByTime(14_999);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(15_001);
    expect(lines.slice(1)).toEqual([
      ' +18.0 s  still waiting: servers 2 of 3 (15 s)',
      ' +33.0 s  still waiting: servers 2 of 3 (30 s)',
    ]);
    log.stop();
  });

  test('names every wait that goes on, and none that is over', () => {
    const { log, lines } = record();
    log.startHeartbeat();
    log.progress('servers 3 of 3', 'servers');
    log.progress('clients 4 of 10', 'clients');
    log.settled('servers');
    vi.advanceTimersByTime(15_000);
    expect(lines.at(-1)).toBe(' +15.0 s  still waiting: clients 4 of 10 (15 s)');
    log.settled('clients');
    vi.advanceTimersByTime(15_000);
    expect(lines.at(-1)).toBe(' +30.0 s  still waiting');
    log.stop();
  });

  test('is silent once stopped, started twice or not, and when quiet', () => {
    const { log, lines } = record();
    log.startHeartbeat();
    log.startHeartbeat();
    log.progress('servers');
    log.stop();
    log.info('after');
    record({ level: 'quiet' }).log.startHeartbeat();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(2);
  });

  test('is left to a terminal that shows what is waited for by itself', () => {
    const { log, lines } = record({ heartbeat: false });
    log.startHeartbeat();
    expect(vi.getTimerCount()).toBe(0);
    log.group('Prove');
    expect(log.status()).toBe('Prove');
    log.progress('servers 3 of 3', 'servers');
    log.progress('clients 4 of\n10', 'clients');
    expect(log.status()).toBe('servers 3 of 3; clients 4 of 10');
    vi.advanceTimersByTime(15_000);
    expect(log.status()).toBe('servers 3 of 3 (15 s); clients 4 of 10 (15 s)');
    log.settled('servers');
    log.settled('clients');
    expect(log.status()).toBe('Prove');
    log.closing(['end']);
    expect(log.status()).toBe('');
    expect(lines.filter((line) => line.includes('still waiting'))).toEqual([]);
  });

  test('nor is anything shown there when quiet', () => {
    const { log } = record({ level: 'quiet' });
    log.group('Prove');
    log.progress('servers 3 of 3');
    expect(log.status()).toBe('');
    log.stop();
  });

  test('has no more in the line of a terminal than that can show', () => {
    const { log } = record({ heartbeat: false });
    log.progress('x'.repeat(1000));
    expect(log.status()).toBe(`${'x'.repeat(399)}…`);
    log.stop();
    log.group('Prove');
    log.endGroup();
    expect(log.status()).toBe('');
  });

  test('begins anew with each line', () => {
    const { log, lines } = record();
    log.startHeartbeat();
    vi.advanceTimersByTime(14_000);
    log.info('a line');
    vi.advanceTimersByTime(14_999);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(lines.at(-1)).toBe(' +29.0 s  still waiting');
    log.startHeartbeat();
    expect(vi.getTimerCount()).toBe(1);
    log.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('rounds a wait to whole seconds', () => {
    const { log, lines } = record();
    log.startHeartbeat();
    vi.advanceTimersByTime(400);
    log.progress('servers');
    vi.advanceTimersByTime(500);
    log.info('other');
    vi.advanceTimersByTime(15_000);
    expect(lines.at(-1)).toBe(' +15.9 s  still waiting: servers (16 s)');
    log.stop();
  });

  test('does not keep the process alive', () => {
    vi.useRealTimers();
    const timer = vi.spyOn(globalThis, 'setTimeout');
    const { log } = record();
    log.startHeartbeat();
    const heartbeat = timer.mock.results[0]?.value as NodeJS.Timeout;
    expect(heartbeat.hasRef()).toBe(false);
    log.stop();
    timer.mockRestore();
  });
});
