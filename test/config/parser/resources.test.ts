import { describe, expect, test } from 'vitest';
import { isQuantity } from '../../../src/config/parser/quantity.ts';
import { resources } from '../../../src/config/parser/resources.ts';
import { mistakes } from '../given.ts';

describe('quantities', () => {
  test.each([
    '0',
    '1',
    '100m',
    '1.5',
    '.5',
    '1.',
    '512Mi',
    '10G',
    '1e3',
    '1E-2',
    '20k',
    '+1',
    '100n',
    '5u',
    `1${'0'.repeat(63)}`,
  ])('%s', (text) => {
    expect(isQuantity(text)).toBe(true);
  });
  test.each([
    `1${'0'.repeat(64)}`,
    '',
    '-1',
    '1KB',
    '1K',
    '1mi',
    'Mi',
    '1 Mi',
    '1e',
    '1.2.3',
    '0x10',
    '.',
    `1${'0'.repeat(100)}`,
  ])('not %j', (text) => {
    expect(isQuantity(text)).toBe(false);
  });
});

describe('resources', () => {
  test('YAML in block or flow style; numbers become text; extended resources pass', () => {
    expect(
      resources.parse(
        'requests:\n  cpu: 0.5\n  memory: 256Mi\nlimits: {example.com/nic: 1, hugepages-2Mi: 4Mi}',
      ),
    ).toEqual({
      requests: { cpu: '0.5', memory: '256Mi' },
      limits: { 'example.com/nic': '1', 'hugepages-2Mi': '4Mi' },
    });
  });

  test('what is given replaces the default whole', () => {
    expect(resources.parse('{}')).toEqual({});
    expect(resources.parse('requests: {cpu: 1}')).toEqual({ requests: { cpu: '1' } });
  });

  test.each([
    ['requests: {cpu: lots}', /given "lots" at requests\.cpu; allowed: a Kubernetes quantity[^;]*$/],
    ['limits: {memory: 512m}', /given "512m" at limits\.memory; .*did you mean `512Mi`\?$/],
    ['limits: {memory: 1GB}', /given "1GB" at limits\.memory; .*did you mean `1Gi`\?$/],
    ['limits: {memroy: 1Gi}', /given "memroy" at limits\.memroy; .*did you mean `memory`\?$/],
    ['limits: {cpu: 1GB}', /given "1GB" at limits\.cpu; allowed: a Kubernetes quantity[^;]*$/],
    [
      'limits: {disk: 1Gi}',
      /given "disk" at limits\.disk; allowed: a resource such as cpu, memory or ephemeral-storage$/,
    ],
    ['limits: {cpu: [1]}', /given "\[1\]" at limits\.cpu; /],
    ['limits: 1', /given "1" at limits; allowed: a mapping/],
    ['request: {cpu: 1}', /given the key "request"; allowed: YAML such as/],
    ['cpu', /given "cpu"; allowed: YAML such as/],
    ['[]', /given "\[\]"; allowed: YAML such as/],
    ['{}\n---\n{}', /given "\{\} --- \{\}"; allowed: YAML such as/],
    ['{cpu: 1', /given "\{cpu: 1" at line 1, column 8; allowed: .*; YAML error \w+$/],
    ['{limits: {cpu: 1}, limits: {cpu: 2}}', /YAML error DUPLICATE_KEY$/],
    ['limits: {cpu: .inf}', /a number is not finite$/],
  ])('%j is refused', (text, line) => {
    const lines = mistakes({ 'client-resources': text });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });

  test('several mistakes in one value are told one by one', () => {
    expect(
      mistakes({ 'server-resources': '{requests: {cpu: x, disk: 1}, limits: {memory: y}}' }),
    ).toHaveLength(3);
  });
});
