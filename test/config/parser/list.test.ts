import { describe, expect, test } from 'vitest';
import { splitList } from '../../../src/config/parser/list.ts';
import { isRecursor } from '../../../src/config/parser/recursor.ts';
import { mistakes } from '../given.ts';

test.each([
  ['', []],
  [' , \n,', []],
  ['a', ['a']],
  ['a, b\nc\r\nd,\n', ['a', 'b', 'c', 'd']],
  ['{a,b}/x, y', ['{a,b}/x', 'y']],
  ['S/x:.ports[port=53,protocol="UDP"].nodePort,b', ['S/x:.ports[port=53,protocol="UDP"].nodePort', 'b']],
  ['a],b', ['a]', 'b']],
  ['{a,{b,c},d},(e,f),g', ['{a,{b,c},d}', '(e,f)', 'g']],
  ['{a,b\nc,d', ['{a,b', 'c', 'd']],
])('%j', (text, items) => {
  expect(splitList(text)).toEqual(items);
});

describe('recursors', () => {
  test.each([
    '8.8.8.8',
    '8.8.8.8:53',
    '2001:db8::1',
    '[2001:db8::1]:5353',
    '127.0.0.1:65535',
    '8.8.8.8:1',
    '::1',
  ])('%s', (text) => {
    expect(isRecursor(text)).toBe(true);
  });
  test.each([
    '',
    'dns',
    'dns:53',
    '8.8.8',
    '8.8.8.8:',
    '8.8.8.8:0',
    '8.8.8.8:65536',
    '0.0.0.0',
    '0.0.0.0:53',
    '::',
    '0::0',
    '[::]:53',
    '[2001:db8::1]',
    'fe80::1%eth0',
    '8.8.8.8/32',
    'x[2001:db8::1]:53',
    '8.8.8.8:53x',
    '8.8.8.8:123456',
  ])('not %j', (text) => {
    expect(isRecursor(text)).toBe(false);
  });
});

describe('force-conflicts', () => {
  test.each(['StatefulSet/consul-client:.spec.replicas', '*/*:*', '{Service,ConfigMap}/consul-*:.data.**'])(
    '%s',
    (text) => {
      expect(mistakes({ 'force-conflicts': text })).toEqual([]);
    },
  );
  test.each(['*', 'spec.replicas', 'StatefulSet/x', 'StatefulSet:x/y', '/x:y', 'A/x:', 'A/x: y'])(
    'not %j',
    (text) => {
      expect(mistakes({ 'force-conflicts': text })).toEqual([
        `force-conflicts: given "${text}"; allowed: globs of Kind/name:field.path, one per line or comma-separated`,
      ]);
    },
  );
});

describe('allow-data-loss', () => {
  test.each(['StatefulSet/consul-server', '*/*', '{StatefulSet,PersistentVolumeClaim}/consul-*'])(
    '%s',
    (text) => {
      expect(mistakes({ 'allow-data-loss': text })).toEqual([]);
    },
  );
  test.each(['*', 'true', 'consul-server', '!Service/*', 'A/b:c', '/b', 'A/', 'A/b c'])('not %j', (text) => {
    expect(mistakes({ 'allow-data-loss': text })).toEqual([
      `allow-data-loss: given "${text}"; allowed: globs of Kind/name, one per line or comma-separated`,
    ]);
  });
});
