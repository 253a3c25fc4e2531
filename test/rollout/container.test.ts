import { describe, expect, test } from 'vitest';
import { containerView, oneLine } from '../../src/rollout/container.ts';

const QUIET = { init: false, restarts: 0, running: false, started: false };

describe('the view of a container', () => {
  test('has nothing to tell without a status', () => {
    expect(containerView({}, false)).toEqual({ ...QUIET, name: '' });
  });

  test('tells that it runs, and that its startup probe has passed', () => {
    const status = { name: 'consul', restartCount: 2, started: true, state: { running: {} } };
    expect(containerView(status, true)).toEqual({
      name: 'consul',
      init: true,
      restarts: 2,
      running: true,
      started: true,
    });
    expect(containerView({ started: null }, false).started).toBe(false);
  });

  test.each([
    ['with its reason', { reason: 'ErrImagePull', message: 'not\nfound' }, 'ErrImagePull', 'not found'],
    ['without a reason', {}, 'Waiting', ''],
  ])('tells what it waits for, %s', (_, waiting, reason, message) => {
    expect(containerView({ state: { waiting } }, false).waiting).toEqual({ reason, message });
  });

  test.each([
    [
      'now, rather than the time before',
      {
        state: { terminated: { reason: 'OOMKilled', exitCode: 137, message: 'a\tb' } },
        lastState: { terminated: { reason: 'Error', exitCode: 1 } },
      },
      { reason: 'OOMKilled', exitCode: 137, message: 'a b' },
    ],
    [
      'the time before, when it runs again',
      { state: { running: {} }, lastState: { terminated: { reason: 'Completed', exitCode: 0 } } },
      { reason: 'Completed', exitCode: 0, message: '' },
    ],
    ['without a word', { lastState: { terminated: {} } }, { reason: 'Error', exitCode: 0, message: '' }],
    ['never', { state: { running: {} }, lastState: {} }, undefined],
  ])('tells how it ended: %s', (_, status, ended) => {
    expect(containerView(status, false).ended).toEqual(ended);
  });

  test('cuts a reason shorter than a message', () => {
    const long = 'x'.repeat(2_000);
    const { waiting, ended } = containerView(
      {
        state: { waiting: { reason: long, message: long } },
        lastState: { terminated: { reason: long, message: long } },
      },
      false,
    );
    for (const told of [waiting, ended]) {
      expect(told).toMatchObject({ reason: `${'x'.repeat(60)}…`, message: `${'x'.repeat(1_000)}…` });
    }
  });
});

test('one line has no space around it and is cut only when it is too long', () => {
  expect(oneLine('  a \r\n\u0000 b ', 3)).toBe('a b');
  expect(oneLine('abcd', 3)).toBe('abc…');
});
