import { expect, test } from 'vitest';
import { compareMinor, minorOf, ServerVersions } from '../../../src/consul/snapshot/version.ts';

test.each<[string, [number, number] | undefined]>([
  ['1.22.7', [1, 22]],
  ['1.22.7+ent', [1, 22]],
  ['1.23.0-dev', [1, 23]],
  ['2.0.0', [2, 0]],
  ['1.22', undefined],
  ['v1.22.7', undefined],
  ['', undefined],
  ['latest', undefined],
  ['99999.1.1', undefined],
])('%j has this minor version: %j', (version, minor) => {
  expect(minorOf(version)).toEqual(minor);
});

test.each([
  ['1.22.7', '1.22.0', 0],
  ['1.22.0', '1.22.7', 0],
  ['1.22.7', '1.21.9', 1],
  ['1.9.0', '1.22.0', -1],
  ['2.0.0', '1.22.7', 1],
  ['1.22.7', '2.0.0', -1],
])('%s against %s', (a, b, order) => {
  expect(Math.sign(compareMinor(a, b))).toBe(order);
});

test('the latest of the servers comes first, and what is no version is none', () => {
  const versions = new ServerVersions();
  for (const version of ['1.9.8', '1.22.7', undefined, 'x'.repeat(10_000), '1.21.0'])
    versions.service(version === undefined ? {} : { version });
  expect(versions.all()).toEqual(['1.22.7', '1.21.0', '1.9.8']);
});

test('however many there are, few are kept', () => {
  const versions = new ServerVersions();
  for (let minor = 0; minor < 1_000; minor += 1) versions.service({ version: `1.${minor}.0` });
  expect(versions.all().length).toBeLessThanOrEqual(10);
});
