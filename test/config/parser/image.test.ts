import { expect, test } from 'vitest';
import { isImage } from '../../../src/config/parser/image.ts';
import { mistakes } from '../given.ts';

const sha = `sha256:${'a1'.repeat(32)}`;

test.each([
  'consul',
  'hashicorp/consul:1.22.7',
  `hashicorp/consul@${sha}`,
  `hashicorp/consul:1.22.7@${sha}`,
  'localhost/consul:x',
  'localhost:5000/a/b_c/d__e/f-g--h:v1_2',
  'Registry.Example.com:443/consul:1.22.7-ent',
  '[2001:db8::1]:5000/consul:1',
  'localhost/consul',
  'a'.repeat(255),
  `registry.example.com/${'a'.repeat(255)}`,
])('%s', (text) => {
  expect(isImage(text)).toBe(true);
});

test.each([
  '',
  'a b',
  'consul:',
  'consul:1.0:2',
  'consul@sha256:abc',
  `consul@${sha.toUpperCase()}`,
  `consul@${sha}@${sha}`,
  'consul:-1',
  `consul:${'1'.repeat(129)}`,
  'a//b',
  '/a',
  'a/',
  'a..b/c',
  'a._b',
  'host:port/consul',
  // A registry has a dot or a port.
  'HashiCorp/consul:1.22.7',
  'a'.repeat(256),
  `registry.example.com/${'a'.repeat(256)}`,
  'registry.example.com/',
  'x\n',
])('not %j', (text) => {
  expect(isImage(text)).toBe(false);
});

test.each([
  ['HashiCorp/Consul:1.22.7', 'hashicorp/consul:1.22.7'],
  ['docker://hashicorp/consul:1.22.7', 'hashicorp/consul:1.22.7'],
  ['http://registry.example.com/Consul', 'registry.example.com/consul'],
  ['https://registry.example.com/consul', 'registry.example.com/consul'],
  ['oci://registry.example.com/consul', 'registry.example.com/consul'],
])('%s is told what was probably meant', (text, meant) => {
  expect(mistakes({ image: text })[0]).toContain(`; did you mean \`${meant}\`?`);
});

test.each(['a b', 'x docker://hashicorp/consul', 'ftp://hashicorp/consul'])(
  '%j means nothing that is known',
  (text) => {
    expect(mistakes({ image: text })[0]).not.toContain('did you mean');
  },
);
