import { describe, expect, test } from 'vitest';
import { joinParts } from '../../../src/report/html/part.ts';
import { plan } from '../../../src/report/html/plan.ts';
import type { PlannedChange } from '../../../src/report/result/change.ts';
import type { Result } from '../../../src/report/result.ts';
import { failure, planned, success } from '../example.ts';
import { all, cells, type Element, readHtml } from './read.ts';

function drawn(result: Result): Element {
  const body = joinParts(plan(result), 500_000);
  return readHtml(`<!doctype html><html lang="en"><title>x</title><body>${body}</body></html>`);
}

const change = (name: string, rest: Partial<PlannedChange> = {}): PlannedChange => ({
  ...{ kind: 'ConfigMap', name, consequence: 'in-place', fields: [], notes: [] },
  ...rest,
});
const { plan: CHANGES = [] } = planned();
const UNCHANGED = [change('same', { consequence: 'none' })];
const texts = (root: Element, name: string) => all(root, name).map(({ text }) => text);
const numbered = (count: number, name: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => name(index));
const several = (rest: Partial<PlannedChange>) => drawn(planned({ plan: [change('a', rest)] }));

describe('the plan', () => {
  test('of a run that is about it is there also where nothing changes', () => {
    expect(texts(drawn(planned({ plan: UNCHANGED })), 'h2')).toEqual(['Plan: what a deploy would do']);
    const what = { what: 'another plan', details: [] };
    const held = failure({ plan: UNCHANGED, failure: { ...what, reason: 'plan-changed' } });
    expect(texts(drawn(held), 'h2')).toEqual(['Plan: what a deploy would do']);
  });

  test('of a deploy is there where something changed, with the headline of the plan', () => {
    expect(plan(success())).toEqual([]);
    expect(plan(success({ plan: UNCHANGED }))).toEqual([]);
    expect(texts(drawn(success({ plan: [change('a')] })), 'h2')).toEqual(['Plan: 1 change']);
  });

  test('gives room to other parts first where it is not what the run is about', () => {
    const rank = (result: Result) => plan(result)[0]?.rank ?? 0;
    expect(rank(success({ plan: CHANGES }))).toBeGreaterThan(rank(planned()));
  });

  test('says its digest and what that is good for; of a run that failed the digest alone, of a deploy nothing', () => {
    const digest = (result: Result) =>
      all(drawn(result), 'p').filter(({ attributes }) => attributes.class === 'digest');
    const planDigest = 'sha256:0a';
    expect(digest(planned({ planDigest })).map(({ text }) => text.trim())).toEqual([
      'Plan digest sha256:0a. A deploy with it as expect-plan does exactly this, or nothing.',
    ]);
    const { failure: why = expect.unreachable() } = failure();
    expect(digest(planned({ planDigest, failure: why })).map(({ text }) => text.trim())).toEqual([
      'Plan digest sha256:0a',
    ]);
    expect(digest(success({ planDigest, plan: CHANGES }))).toEqual([]);
    const { planDigest: _, ...unknown } = planned();
    expect(digest(unknown)).toEqual([]);
  });

  test('says whether a snapshot is taken first', () => {
    const plannedSnapshot = 'A snapshot is taken first.';
    expect(texts(drawn(planned({ plannedSnapshot })), 'p')).toContain(plannedSnapshot);
    const { planDigest: _, ...plain } = planned({ plan: UNCHANGED });
    expect(texts(drawn(plain), 'p')).toEqual([]);
  });

  test('counts objects by what happens to them, the gravest first', () => {
    const root = drawn(planned());
    expect(texts(root, 'caption')).toEqual(['How many objects, by what happens to them; the gravest first.']);
    expect(cells(root)).toEqual([
      ['Consequence', 'Objects', 'Which'],
      ['data loss', '1', 'PersistentVolumeClaim/old'],
      ['delete', '1', 'Service/old'],
      ['recreate', '1', 'StatefulSet/consul-server'],
      ['rolls pods', '2', 'StatefulSet/consul-client, DaemonSet/agents'],
      ['create', '1', 'ConfigMap/new'],
      ['in place', '1', 'ConfigMap/consul-client-config'],
      ['metadata', '1', 'ServiceAccount/consul-client'],
      ['unchanged', '1', ''],
    ]);
    const looks = all(root, 'th').map(({ attributes }) => attributes.class);
    expect(looks.slice(0, 3)).toEqual(['', 'figure', 'wide']);
  });

  test('marks what is dangerous by shape and word, and nothing else', () => {
    const marks = all(all(drawn(planned()), 'table')[0] ?? expect.unreachable(), 'span');
    expect(marks.map(({ attributes, text }) => [text, attributes.class])).toEqual([
      ['data loss', 'badge failed'],
      ['delete', 'badge warning'],
      ['recreate', 'badge warning'],
      ...['rolls pods', 'create', 'in place', 'metadata', 'unchanged'].map((word) => [word, 'badge plain']),
    ]);
  });

  test.each([
    [12, ''],
    [13, ' and 1 more'],
    [20, ' and 8 more'],
  ])('names twelve of %i objects of a kind%s', (count, more) => {
    const changes = numbered(count, (index) => `m${index}`).map((name) => change(name));
    const named = numbered(12, (index) => `ConfigMap/m${index}`).join(', ');
    expect(cells(drawn(planned({ plan: changes })))[1]?.[2]).toBe(`${named}${more}`);
  });

  test('has no names of what stays as it is, however much that is', () => {
    const same = numbered(20, (index) => `m${index}`).map((name) => change(name, { consequence: 'none' }));
    expect(cells(drawn(planned({ plan: same })))[1]).toEqual(['unchanged', '20', '']);
    expect(all(drawn(planned({ plan: same })), 'details')).toEqual([]);
  });
});

describe('a change', () => {
  test('has a title with how many fields differ, its pods, its notes, and each field', () => {
    const fields = [
      { path: '.data.a', before: '1', after: '2' },
      { path: '.data.b', after: 'new' },
      { path: '.data.c', before: 'old' },
    ];
    const root = several({ fields, notes: ['first', 'second'], podCount: 2, pods: ['p-1', 'p-0'] });
    expect(texts(root, 'summary')).toEqual(['in place ConfigMap/a 3 fields']);
    expect(texts(root, 'li')).toEqual(['2 pods replaced, in this order: p-1, p-0', 'first', 'second']);
    const shown = all(root, 'div').map(({ children }) => children.map(({ name, text }) => `${name} ${text}`));
    expect(shown).toEqual([
      ['code .data.a', 'del −before: 1', 'ins +after: 2'],
      ['code .data.b', 'ins +after: new'],
      ['code .data.c', 'del −before: old'],
    ]);
    expect(texts(root, 'p').filter((text) => /more/.test(text) && !/digest/.test(text))).toEqual([]);
  });

  test('has twelve of its notes', () => {
    expect(texts(several({ notes: numbered(13, (index) => `n${index}`) }), 'li')).toEqual(
      numbered(12, (index) => `n${index}`),
    );
  });

  test('of which nothing is known but its object says so', () => {
    expect(texts(several({}), 'summary')).toEqual(['in place ConfigMap/a']);
    expect(texts(several({}), 'p')).toContain('Nothing more to tell.');
    expect(texts(several({ notes: ['why'] }), 'p')).not.toContain('Nothing more to tell.');
    expect(texts(several({ fields: [{ path: '.a' }] }), 'p')).not.toContain('Nothing more to tell.');
    expect(all(several({}), 'ul')).toEqual([]);
  });

  test.each<[string, Partial<PlannedChange>, string[]]>([
    ['none', { podCount: 0 }, []],
    ['one, by its name', { podCount: 1, pods: ['p-0'] }, ['1 pod replaced, in this order: p-0']],
    ['counted', { podCount: 5 }, ['5 pods replaced']],
    [
      'twenty',
      { podCount: 20, pods: numbered(20, (index) => `p${index}`) },
      [`20 pods replaced, in this order: ${numbered(20, (index) => `p${index}`).join(', ')}`],
    ],
    [
      'more',
      { podCount: 25, pods: numbered(25, (index) => `p${index}`) },
      [`25 pods replaced, in this order: ${numbered(20, (index) => `p${index}`).join(', ')} and 5 more`],
    ],
  ])('names at most twenty of the pods that it replaces: %s', (_, rest, said) => {
    expect(texts(several(rest), 'li')).toEqual(said);
  });

  test.each([
    [20, []],
    [21, ['1 more field not shown here.']],
    [25, ['5 more fields not shown here.']],
  ])('shows twenty of %i fields', (count, rest) => {
    const root = several({ fields: numbered(count, (index) => `.f${index}`).map((path) => ({ path })) });
    expect(all(root, 'div').map(({ text }) => text)).toEqual(numbered(20, (index) => `.f${index}`));
    expect(texts(root, 'p').filter((text) => text.includes('not shown'))).toEqual(rest);
  });

  test.each([
    [40, ''],
    [41, '\n… 1 more line'],
    [50, '\n… 10 more lines'],
  ])('shows forty of %i lines of a value', (count, more) => {
    const after = numbered(count, (index) => `l${index}`).join('\n');
    const shown = numbered(40, (index) => `l${index}`).join('\n');
    expect(texts(several({ fields: [{ path: '.a', after }] }), 'ins')).toEqual([`+after: ${shown}${more}`]);
  });

  test('that is dangerous is open where the run is about the plan', () => {
    const open = (result: Result) =>
      all(drawn(result), 'details')
        .filter(({ attributes }) => 'open' in attributes)
        .map(({ children }) => children[0]?.text.split(' ').at(-1));
    expect(open(planned())).toEqual([
      'PersistentVolumeClaim/old',
      'Service/old',
      'StatefulSet/consul-server',
    ]);
    expect(open(success({ plan: CHANGES }))).toEqual([]);
  });
});
