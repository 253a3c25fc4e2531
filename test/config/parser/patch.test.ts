import { describe, expect, test } from 'vitest';
import { patches } from '../../../src/config/parser/patch.ts';
import { mistakes } from '../given.ts';

const target = { kind: 'StatefulSet', name: 'consul-server' };

describe('patches', () => {
  test('a list, one object or several documents, in their order', () => {
    const merge = (replicas: number) => ({ target, merge: { spec: { replicas } } });
    const json = (replicas: number) => JSON.stringify(merge(replicas));
    expect(patches.parse(`[${json(1)}, ${json(2)}]`)).toEqual([merge(1), merge(2)]);
    expect(patches.parse(json(1))).toEqual([merge(1)]);
    expect(patches.parse(`---\n${json(1)}\n---\n# nothing here\n---\n- ${json(2)}\n- ${json(3)}\n`)).toEqual([
      merge(1),
      merge(2),
      merge(3),
    ]);
    expect(patches.parse('')).toEqual([]);
  });

  test('null in a merge patch stays, it deletes; aliases are resolved', () => {
    const text = 'target: {kind: Service, name: consul-ui}\nmerge: {a: &x {b: null}, c: *x}';
    expect(patches.parse(text)).toEqual([
      { target: { kind: 'Service', name: 'consul-ui' }, merge: { a: { b: null }, c: { b: null } } },
    ]);
  });

  test('operations of every kind', () => {
    const operations = [
      { op: 'add', path: '/a/-', value: null },
      { op: 'replace', path: '', value: { x: 1 } },
      { op: 'test', path: '/metadata/labels/a~1b~0c', value: 'v' },
      { op: 'remove', path: '/a/0' },
      { op: 'move', path: '/a', from: '/b' },
      { op: 'copy', path: '/a', from: '/b' },
    ];
    expect(patches.parse(JSON.stringify([{ target, operations }]))).toEqual([{ target, operations }]);
  });
});

describe('numbers that others read differently are refused', () => {
  test.each([
    ['0400', /at line 2, column 28; .* write 0o400 for the octal/],
    ['9007199254740993', /at line 2, column 28; .* beyond 2\^53 would lose digits/],
  ])('%s', (value, line) => {
    const text = `target: {kind: Pod, name: x}\nmerge: {spec: {canary: [a, ${value}]}}`;
    const lines = mistakes({ patches: text });
    expect(lines).toEqual([expect.stringMatching(line)]);
    expect(lines.join()).not.toContain('canary');
  });

  test('not in their octal form of today, nor as a text', () => {
    const text = 'target: {kind: Pod, name: x}\nmerge: {a: 0o400, b: "0400"}';
    expect(patches.parse(text)).toMatchObject([{ merge: { a: 256, b: '0400' } }]);
  });
});

describe('mistakes are told by position, and nothing given is shown', () => {
  const T = 'target: {kind: Pod, name: x}';
  test.each([
    ['canary', 'at [0]; allowed: an object with target and either merge or operations'],
    ['[{merge: {a: canary}}]', 'at [0].target; allowed: an object with kind and name'],
    [`[{${T}}]`, 'at [0]; allowed: either merge or operations, not both'],
    [
      `[{${T}, merge: {}, operations: [{op: remove, path: /a}]}]`,
      'at [0]; allowed: either merge or operations',
    ],
    [`[{${T}, merge: {}}, {${T}, merge: canary}]`, 'at [1].merge; allowed: an object, which is merged'],
    [`[{${T}, merge: {}, canary: 1}]`, 'at [0]; allowed: an object with target'],
    [
      '{target: {kind: canary, name: x}, merge: {}}',
      'at [0].target.kind; allowed: a kind such as StatefulSet',
    ],
    ['{target: {kind: Pod, name: canary x}, merge: {}}', 'at [0].target.name; allowed: an object name'],
    [`{${T}, operations: []}`, 'at [0].operations; allowed: at least one operation'],
    [
      `{${T}, operations: [{op: canary, path: /a}]}`,
      'at [0].operations[0].op; allowed: add, remove, replace, move, copy or test',
    ],
    [
      `{${T}, operations: [{op: remove, path: canary}]}`,
      'at [0].operations[0].path; allowed: a JSON pointer',
    ],
    [
      `{${T}, operations: [{op: remove, path: /canary~2}]}`,
      'at [0].operations[0].path; allowed: a JSON pointer',
    ],
    ...['add', 'replace', 'test'].map((op) => [
      `{${T}, operations: [{op: ${op}, path: /canary}]}`,
      `at [0].operations[0]; allowed: value, which ${op} needs`,
    ]),
    ...['move', 'copy'].map((op) => [
      `{${T}, operations: [{op: ${op}, path: /canary}]}`,
      `at [0].operations[0]; allowed: from, which ${op} needs`,
    ]),
    [`${T}\nmerge: {a: "canary}`, 'at line 2, column 20; allowed: a YAML list, or documents, of'],
    [`{${T}, merge: {a: .nan}}`, 'a number is not finite'],
    [`{${T}, merge: &a {canary: *a}}`, 'an alias refers to itself'],
  ])('%j', (text, expected) => {
    const lines = mistakes({ patches: text });
    expect(lines).toEqual([expect.stringMatching(/^patches: given a value that is not shown/)]);
    expect(lines[0]).toContain(expected);
    expect(lines[0]).not.toContain('canary');
  });

  test('where nobody can tell the position there is none', () => {
    expect(mistakes({ patches: `{${T}, merge: &a {a: *a}}` })[0]).toMatch(
      /^patches: given a value that is not shown; allowed: a YAML list/,
    );
  });

  test('nor is it suggested what was meant, which would tell most of it', () => {
    const line = mistakes({ patches: `{${T}, operations: [{op: replcae, path: /a, value: 1}]}` })[0];
    expect(line).toMatch(/allowed: add, remove, replace, move, copy or test$/);
  });

  test('every one of them', () => {
    const text = '[{target: {kind: pod, name: x}, merge: 1}, {target: 1, operations: [{op: add, path: x}]}]';
    expect(mistakes({ patches: text })).toHaveLength(5);
  });
});
