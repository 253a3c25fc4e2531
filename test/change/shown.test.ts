import { describe, expect, test } from 'vitest';
import { shown } from '../../src/change/shown.ts';

const before = (kind: string, path: string, was: unknown, is: unknown) =>
  shown(kind, { path, before: was, after: is });

describe('a value', () => {
  test.each<[string, unknown, unknown, object]>([
    ['a text', 'a', 'b', { before: '"a"', after: '"b"' }],
    ['a number', 1, 2, { before: '1', after: '2' }],
    ['what comes', undefined, { b: 1, a: [true] }, { after: '{"a":[true],"b":1}' }],
    ['what goes', { a: 1 }, undefined, { before: '{"a":1}' }],
    ['a map where a text was', 'a\n', { a: 1 }, { before: '"a\\n"', after: '{"a":1}' }],
    ['a list where a map was', { a: [1, null] }, [1, 2], { before: '{"a":[1,null]}', after: '[1,2]' }],
    ['one as long as is shown', undefined, 'x'.repeat(158), { after: `"${'x'.repeat(158)}"` }],
    ['a long one', undefined, 'x'.repeat(500), { after: `"${'x'.repeat(158)}…` }],
  ])('as JSON: %s', (_, was, is, rest) =>
    expect(before('ConfigMap', '.spec.a', was, is)).toEqual([{ path: '.spec.a', ...rest }]),
  );

  test.each<[string, string]>([
    ['Secret', '.data.a'],
    ['Secret', '.stringData.a'],
    ['Secret', '.type'],
    ['ConfigMap', '.data.gossip-key'],
    ['StatefulSet', '.spec.template.spec.containers[name="consul"].env[name="CONSUL_HTTP_TOKEN"].value'],
    ['StatefulSet', '.spec.template.spec.volumes[name="a"].secret'],
  ])('is hidden: %s %s', (kind, path) => {
    const told = before(kind, path, 'hunter2', 'hunter3');
    expect(told).toEqual([{ path, before: '(hidden)', after: '(hidden, changed)' }]);
    expect(before(kind, path, undefined, 'hunter3')).toEqual([{ path, after: '(hidden)' }]);
    expect(before(kind, path, 'hunter2', undefined)).toEqual([{ path, before: '(hidden)' }]);
  });

  test('of a Secret is shown where it is metadata, and a switch is no secret', () => {
    expect(before('Secret', '.metadata.labels.a', '1', '2')).toEqual([
      { path: '.metadata.labels.a', before: '"1"', after: '"2"' },
    ]);
    const path = '.automountServiceAccountToken';
    expect(before('ServiceAccount', path, true, false)).toEqual([{ path, before: 'true', after: 'false' }]);
    expect(before('StatefulSet', '.spec.secret', { name: 'a' }, undefined)).toEqual([
      { path: '.spec.secret', before: '(hidden)' },
    ]);
  });
});

describe('of a text, the lines that differ', () => {
  const config = (...lines: string[]) => ['{', ...lines, '}', ''].join('\n');

  test('each place by itself', () => {
    const was = config('  "a": 1,', '  "b": 2,', '  "c": 3');
    const is = config('  "a": 9,', '  "b": 2,', '  "c": 3,', '  "d": 4');
    expect(before('ConfigMap', '.data.x', was, is)).toEqual([
      { path: '.data.x', before: '  "a": 1,', after: '  "a": 9,' },
      { path: '.data.x', before: '  "c": 3', after: '  "c": 3,\n  "d": 4' },
    ]);
  });

  test.each([
    ['  "encrypt": "old",', '  "encrypt": (hidden)'],
    ['encrypt = "old"', 'encrypt = (hidden)'],
    ['  "initial_management": "old"', '  "initial_management": (hidden)'],
    ['tokens { agent_token = "old" }', 'tokens { agent_token = (hidden)'],
    ['  "private_key": "old"', '  "private_key": (hidden)'],
    ['  "token":', '  "token":'],
    ['-auto-encrypt-secret=old', '-auto-encrypt-secret=(hidden)'],
  ])('without what is named like a secret: %s', (line, said) =>
    expect(before('ConfigMap', '.data.x', config(line), config('  1'))).toEqual([
      { path: '.data.x', before: said, after: '  1' },
    ]),
  );

  test('of a list, the entries', () => {
    const [path, args] = ['.spec.args', ['agent', '-a', '-b']];
    expect(before('Pod', path, args, ['agent', '-b', '-c'])).toEqual([
      { path, before: '"-a"' },
      { path, after: '"-c"' },
    ]);
  });

  test('not more than a reader takes', () => {
    const many = (from: number) => config(...Array.from({ length: 400 }, (_, index) => `${from + index}`));
    const [field, ...others] = before('ConfigMap', '.data.x', many(0), many(1000));
    expect(others).toEqual([]);
    expect(field?.before?.split('\n')).toHaveLength(13);
    expect(field?.before).toMatch(/\n… 388 more lines$/);
    const twelve = Array.from({ length: 12 }, (_, index) => `${index}`).join('\n');
    expect(before('ConfigMap', '.data.x', twelve, '')[0]?.before).toBe(twelve);
    const scattered = (mark: string) =>
      config(...Array.from({ length: 100 }, (_, index) => (index % 2 ? 'same' : `${mark}${index}`)));
    expect(before('ConfigMap', '.data.x', scattered('a'), scattered('b')).at(-1)).toEqual({
      path: '.data.x',
      after: '(30 more places differ)',
    });
  });

  test('in no time, whatever the lines say', () => {
    const long = `${'token'.repeat(200_000)}\n`;
    expect(before('ConfigMap', '.data.x', long, 'a\n')[0]?.before?.length).toBeLessThan(300);
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index}`).join('\n');
    expect(before('ConfigMap', '.data.x', lines, lines.replaceAll('1', '2'))).toHaveLength(1);
  });
});
