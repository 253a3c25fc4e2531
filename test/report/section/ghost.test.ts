import { expect, test } from 'vitest';
import type { GhostReport } from '../../../src/report/result.ts';
import { summary } from '../../../src/report/summary.ts';
import { verdict } from '../../../src/report/verdict.ts';
import { failure, GHOSTS, ghost, success } from '../example.ts';

test('a table of a row for each, those that may stay last, every text escaped', () => {
  const page = summary(success({ mode: 'sweep', ghosts: GHOSTS }));
  const start = page.indexOf('### Catalog');
  expect(page.slice(start, page.indexOf('\n\n### Checks', start))).toBe(
    [
      '### Catalog: 2 ghosts, 1 that may stay',
      '',
      '| | Class | What | Evidence | Remedy | Why |',
      '|:--|:--|:--|:--|:--|:--|',
      '| ✅ removed | no-pod | node `consul-client-9` | a member that has failed; no pod | force-leave, with prune | no pod brings it back |',
      '| ➖ kept | duplicate | <code>we&#124;b</code> at `consul-client-0`, `consul-client-1` | 2 agents announce it under one address | nothing | name it in &#96;deregister&#96; |',
      '| ➖ kept | external | node `database` | no agent | nothing | it is there on purpose |',
    ].join('\n'),
  );
});

const found = GHOSTS.map(
  (ghost): GhostReport => (ghost.remedy === 'none' ? ghost : { ...ghost, outcome: 'found' }),
);

test.each<[string, GhostReport[] | undefined, string]>([
  ['nothing', undefined, 'The catalog has no ghosts'],
  ['what may stay', GHOSTS.slice(2), 'The catalog has no ghosts'],
  ['a dry run', found, '2 ghosts in the catalog, 1 to be removed by sweep-apply'],
  ['one that nothing is done about', GHOSTS.slice(1), '1 ghost in the catalog'],
  ['a dry run of which nothing can be removed', GHOSTS.slice(1, 2), '1 ghost in the catalog'],
  ['an apply', GHOSTS, '1 ghost removed, and stays away; 1 left alone'],
  [
    'an apply that leaves nothing',
    [...GHOSTS.slice(0, 1), ...GHOSTS.slice(0, 1)],
    '2 ghosts removed, and stay away',
  ],
])('the headline of %s', (_, ghosts, headline) => {
  const result = success({ mode: 'sweep', ...(ghosts && { ghosts: [...ghosts] }) });
  expect(verdict(result).headline).toBe(headline);
});

test('the headline of a sweep that failed does not speak of the cluster', () => {
  const swept = failure({
    mode: 'sweep',
    failure: { reason: 'ghosts', what: 'node a came back', details: [] },
  });
  expect(verdict(swept).headline).toBe('The catalog is not clean: node a came back');
});

const section = (...ghosts: GhostReport[]) => {
  const page = summary(success({ mode: 'sweep', ghosts }));
  return page.slice(page.indexOf('### Catalog')).split('\n');
};

test('what may stay comes last, and is left out of the title where there is none', () => {
  const [first = ghost({}), , external = ghost({})] = GHOSTS;
  const [title, , , , ...rows] = section(external, first);
  expect(title).toBe('### Catalog: 1 ghost, 1 that may stay');
  expect(rows.slice(0, 2).map((row) => row.split(' | ')[1])).toEqual(['no-pod', 'external']);
  expect(section(first)[0]).toBe('### Catalog: 1 ghost');
});

test('at most five nodes are named', () => {
  const what = (count: number, service?: string) => {
    const nodes = Array.from({ length: count }, (_, index) => `n${index}`);
    return section(ghost({ nodes, ...(service && { service }) }))[4]?.split(' | ')[2];
  };
  const five = '`n0`, `n1`, `n2`, `n3`, `n4`';
  expect(what(5, 'web')).toBe(`\`web\` at ${five}`);
  expect(what(6)).toBe(`node ${five} and 1 more`);
  expect(what(7, 'web')).toBe(`\`web\` at ${five} and 2 more`);
});
