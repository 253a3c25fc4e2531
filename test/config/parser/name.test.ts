import { expect, test } from 'vitest';
import {
  datacenter,
  domain,
  namespaceName,
  objectPrefix,
  subdomain,
} from '../../../src/config/parser/name.ts';
import { mistakes } from '../given.ts';

const parsers = { datacenter, domain, namespaceName, objectPrefix, subdomain };
const long = (length: number) => 'a'.repeat(length);

test.each([
  ['namespaceName', 'a'],
  ['namespaceName', '9-lives'],
  ['namespaceName', long(63)],
  ['objectPrefix', 'consul'],
  ['objectPrefix', long(40)],
  ['subdomain', 'fast.ssd-1'],
  ['datacenter', 'dc_1-eu'],
  ['datacenter', '1'],
  ['domain', 'consul'],
  ['domain', 'cluster.local'],
  ['domain', `${long(63)}.x`],
  ['domain', `${Array(126).fill('a').join('.')}.a`.padEnd(253, 'b')],
] as const)('%s takes %s', (name, text) => {
  expect(parsers[name].parse(text)).toBe(text);
});

test.each([
  ['namespaceName', '-a'],
  ['namespaceName', 'a-'],
  ['namespaceName', 'a.b'],
  ['namespaceName', 'a_b'],
  ['namespaceName', 'A'],
  ['namespaceName', long(64)],
  ['namespaceName', 'a\nb'],
  ['objectPrefix', '1consul'],
  ['objectPrefix', long(41)],
  ['subdomain', 'a..b'],
  ['subdomain', `a${'.a'.repeat(127)}`],
  ['datacenter', 'DC1'],
  ['datacenter', 'dc 1'],
  ['datacenter', 'dc.1'],
  ['datacenter', long(64)],
  ['domain', 'consul.'],
  ['domain', '.consul'],
  ['domain', 'a_b'],
  ['domain', `${long(64)}.x`],
  ['domain', Array(130).fill('a').join('.')],
] as const)('%s refuses %j', (name, text) => {
  expect(parsers[name].safeParse(text).success).toBe(false);
});

test.each([
  [{ datacenter: 'DC1' }, 'did you mean `dc1`?'],
  [{ namespace: 'Consul' }, 'did you mean `consul`?'],
  [{ domain: 'Consul.' }, 'did you mean `consul`?'],
  [{ domain: '.Consul.Example.Com.' }, 'did you mean `consul.example.com`?'],
])('%j is told what was probably meant', (inputs, hint) => {
  expect(mistakes(inputs)).toEqual([expect.stringMatching(new RegExp(`; ${hint.replace('?', '\\?')}$`))]);
});
