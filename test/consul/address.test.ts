import { expect, test } from 'vitest';
import { canonicalAddress, recordType } from '../../src/consul/address.ts';

test.each([
  ['10.0.0.1', '10.0.0.1', 'A'],
  ['fd00:0:0:0:0:0:0:2', 'fd00::2', 'AAAA'],
  ['FD00::0002', 'fd00::2', 'AAAA'],
  ['fd00:0:0:1::', 'fd00:0:0:1::', 'AAAA'],
  ['::1', '::1', 'AAAA'],
  ['fe80::1%eth0', 'fe80::1%eth0', 'AAAA'],
  ['no address', 'no address', 'A'],
  ['', '', 'A'],
])('%s is %s, in a record %s', (address, canonical, type) => {
  expect(canonicalAddress(address)).toBe(canonical);
  expect(recordType(address)).toBe(type);
});
