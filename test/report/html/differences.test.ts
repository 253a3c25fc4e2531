import { describe, expect, test } from 'vitest';
import { drift, ghosts } from '../../../src/report/html/differences.ts';
import { joinParts } from '../../../src/report/html/part.ts';
import type { Drift } from '../../../src/report/result/change.ts';
import type { GhostReport } from '../../../src/report/result.ts';
import { GHOSTS, ghost, success } from '../example.ts';
import { all, cells, type Element, readHtml } from './read.ts';

function drawn(rest: { drift?: Drift[]; ghosts?: GhostReport[] }): Element {
  const parts = [...drift(success(rest)), ...ghosts(success(rest))];
  return readHtml(
    `<!doctype html><html lang="en"><title>x</title><body>${joinParts(parts, 500_000)}</body></html>`,
  );
}

const texts = (root: Element, name: string) => all(root, name).map(({ text }) => text.trim());
const looks = (root: Element) =>
  all(all(root, 'tr')[0] ?? root, 'th').map(({ attributes }) => attributes.class);
const changed = (count: number): Drift => ({
  ...{ kind: 'Service', name: 'a', what: 'changed' },
  fields: Array.from({ length: count }, (_, index) => ({ path: `.f${index}` })),
});

test('without drift and ghosts there is no part of them', () => {
  expect([drift(success()), ghosts(success())]).toEqual([[], []]);
  expect([drift(success({ drift: [] })), ghosts(success({ ghosts: [] }))]).toEqual([[], []]);
});

describe('drift', () => {
  const found: Drift[] = [
    {
      ...{ kind: 'ConfigMap', name: 'a', what: 'changed', by: 'kubectl-edit', at: '2026-03-01T09:00:00Z' },
      fields: [{ path: '.data.x', before: '1', after: '2' }],
    },
    { kind: 'Service', name: 'b', what: 'missing', fields: [] },
    { kind: 'Secret', name: 'c', what: 'unexpected', fields: [] },
    { kind: 'Secret', name: 'd', what: 'replaced', fields: [{ path: '.uid' }] },
  ];

  test('has a row for each object: what became of it, by whom and when', () => {
    const root = drawn({ drift: found });
    expect(texts(root, 'h2')).toEqual([
      'Drift: 1 field of 1 object changed, 1 object missing, 1 object replaced, 1 object unexpected',
    ]);
    expect(texts(root, 'caption')).toEqual(['What is not as it was deployed.']);
    expect(cells(root)).toEqual([
      ['Object', 'As deployed, and as it is', 'By', 'At'],
      ['ConfigMap/a', '.data.x−before: 1+after: 2', 'kubectl-edit', '2026-03-01 09:00 UTC'],
      ['Service/b', 'it is missing', '', ''],
      ['Secret/c', 'it was not deployed', '', ''],
      ['Secret/d', 'it was removed, and there is another of that name.uid', '', ''],
    ]);
    expect(looks(root)).toEqual(['code', 'wide', 'wide', '']);
    expect(all(root, 'time').map(({ attributes }) => attributes.datetime)).toEqual(['2026-03-01T09:00:00Z']);
    const badges = all(root, 'span').flatMap(({ attributes }) =>
      attributes.class?.startsWith('badge') ? [attributes.class] : [],
    );
    expect(badges).toEqual(['badge warning', 'badge warning', 'badge warning']);
  });

  test.each([
    [20, []],
    [21, ['1 more field not shown here.']],
    [30, ['10 more fields not shown here.']],
  ])('shows twenty of %i fields', (count, rest) => {
    const root = drawn({ drift: [changed(count)] });
    expect(all(root, 'div')).toHaveLength(20);
    expect(texts(root, 'p')).toEqual(rest);
  });
});

describe('ghosts', () => {
  test('have a row each, those that may stay last', () => {
    const [first = ghost({}), second = ghost({}), external = ghost({})] = GHOSTS;
    const root = drawn({ ghosts: [external, first, second] });
    expect(texts(root, 'h2')).toEqual(['Catalog: 2 ghosts, 1 that may stay']);
    expect(texts(root, 'caption')).toEqual(['What should not be in the catalog, or looks like it.']);
    expect(cells(root)).toEqual([
      ['What', 'Outcome', 'Class', 'Evidence', 'Remedy', 'Why'],
      [
        'node consul-client-9',
        'removed',
        'no-pod',
        'a member that has failed; no pod',
        'force-leave, with prune',
        'no pod brings it back',
      ],
      [
        'we|b at consul-client-0, consul-client-1',
        'kept',
        'duplicate',
        '2 agents announce it under one address',
        'nothing',
        'name it in `deregister`',
      ],
      ['node database', 'kept', 'external', 'no agent', 'nothing', 'it is there on purpose'],
    ]);
    expect(looks(root)).toEqual(['code', '', '', 'wide', '', 'wide']);
    expect(texts(drawn({ ghosts: [first] }), 'h2')).toEqual(['Catalog: 1 ghost']);
  });

  test('say by shape and word what became of them', () => {
    const outcomes = ['found', 'kept', 'removed', 'stayed', 'returned'] as const;
    const root = drawn({ ghosts: outcomes.map((outcome) => ghost({ outcome })) });
    const badges = all(root, 'span').map(({ attributes, text }) => `${attributes.class}: ${text}`);
    expect(badges).toEqual([
      'badge warning: found',
      'badge skipped: kept',
      'badge passed: removed',
      'badge failed: did not go',
      'badge failed: came back',
    ]);
  });

  test('name at most five nodes', () => {
    const what = (count: number, service?: string) => {
      const nodes = Array.from({ length: count }, (_, index) => `n${index}`);
      return cells(drawn({ ghosts: [ghost({ nodes, ...(service && { service }) })] }))[1]?.[0];
    };
    expect(what(5)).toBe('node n0, n1, n2, n3, n4');
    expect(what(6)).toBe('node n0, n1, n2, n3, n4 and 1 more');
    expect(what(7, 'web')).toBe('web at n0, n1, n2, n3, n4 and 2 more');
  });
});
