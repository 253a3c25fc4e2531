import { describe, expect, test } from 'vitest';
import { covers, entryKey, entryName, entryOf, recordedEntry, union } from '../../src/inventory/entry.ts';
import { withRun } from '../../src/inventory/history.ts';
import { secretDigest } from '../../src/secret/digest.ts';
import { inventory, object, runRecord } from './fixture.ts';

const ui = object('Service', 'consul-ui');
const server = object('Service', 'consul-server');
const stored = (one: typeof ui, uid: string) => entryOf({ ...one, metadata: { ...one.metadata, uid } });

test('what is recorded of a Secret is a digest of its data', () => {
  const secret = object('Secret', 'key', {}, { data: { key: 'c2VjcmV0' } });
  expect(recordedEntry(secret)).toEqual({ ...entryOf(secret), digest: secretDigest(secret) });
  expect(recordedEntry(ui)).toEqual(entryOf(ui));
});

describe('the union before an apply', () => {
  test('has what was there and what will be, each once', () => {
    expect(union([stored(ui, '1')], [entryOf(ui), entryOf(server)])).toEqual([
      stored(ui, '1'),
      entryOf(server),
    ]);
  });

  test('keeps what is no longer rendered', () => {
    expect(union([stored(ui, '1'), stored(server, '2')], [entryOf(server)])).toEqual([
      stored(server, '2'),
      stored(ui, '1'),
    ]);
  });

  test('takes an object of two versions of its group for one', () => {
    const beta = { ...stored(ui, '1'), apiVersion: 'policy/v1beta1' };
    const now = { ...entryOf(ui), apiVersion: 'policy/v1' };
    expect(union([beta], [now])).toEqual([{ ...now, uid: '1' }]);
    expect(entryKey({ ...now, apiVersion: 'apps/v1' })).not.toBe(entryKey(now));
    expect(entryKey({ ...now, apiVersion: 'projects/v1' })).not.toBe(entryKey(now));
  });
});

test('an object is named as people name it to kubectl', () => {
  expect(entryName(entryOf(ui))).toBe('Service/consul-ui');
});

describe('an inventory says enough already', () => {
  test.each([
    ['when it names all of them', inventory({ entries: [stored(ui, '1'), stored(server, '2')] }), true],
    ['not when one is new', inventory({ entries: [stored(ui, '1')] }), false],
    [
      'not when a deploy was killed',
      inventory({ phase: 'applying', entries: [stored(ui, '1'), stored(server, '2')] }),
      false,
    ],
  ])('%s', (_, known, expected) => {
    expect(covers(known, [entryOf(ui), entryOf(server)])).toBe(expected);
  });
});

describe('the history', () => {
  test('keeps the last 30 runs, and restarts and the leadership only of the newest', () => {
    let known = inventory();
    for (let i = 1; i <= 40; i++) {
      const led = { term: i, leader: 'a', voters: ['a 10.0.0.1:8300'], since: '2026-01-01T00:00:00.000Z' };
      known = withRun(known, runRecord({ verdictMs: i, restarts: { pod: i }, led }));
    }
    expect(known.history.map(({ verdictMs }) => verdictMs)).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 11),
    );
    expect(known.history.at(-1)?.restarts).toEqual({ pod: 40 });
    expect(known.history.slice(0, -1).every(({ restarts }) => Object.keys(restarts).length === 0)).toBe(true);
    expect(known.history.flatMap(({ led }) => led?.term ?? [])).toEqual([40]);
  });
});
