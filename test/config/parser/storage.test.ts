import { expect, test } from 'vitest';
import { storage } from '../../../src/config/parser/storage.ts';
import { mistakes } from '../given.ts';

test.each(['10Gi', '500M', '1.5Ti', '0.5Gi', '10k'])('%s', (size) => {
  expect(storage.parse(size)).toEqual({ kind: 'persistent', size });
});

test('ephemeral', () => {
  expect(storage.parse('ephemeral')).toEqual({ kind: 'ephemeral' });
});

test.each([
  ['10', 'did you mean `10Gi`?'],
  ['100000', 'did you mean `100000Gi`?'],
  ['1000000', undefined],
  ['+10Gi', undefined],
  ['1E3', undefined],
  ['no ephemeral', undefined],
  ['ephemeral1', undefined],
  ['10GB', 'did you mean `10Gi`?'],
  ['10gi', 'did you mean `10Gi`?'],
  ['500m', 'did you mean `500Mi`?'],
  ['Ephemeral', 'did you mean `ephemeral`?'],
  ['0Gi', undefined],
  ['-1Gi', undefined],
  ['1e3', undefined],
  ['10 Gi of disk', undefined],
])('%s is refused', (text, hint) => {
  const line = `server-storage: given "${text}"; allowed: a size such as 10Gi, or ephemeral`;
  expect(mistakes({ 'server-storage': text })).toEqual([hint ? `${line}; ${hint}` : line]);
});
