import { describe, expect, test } from 'vitest';
import { checks, warnings } from '../../../src/report/html/checks.ts';
import { diagnosis } from '../../../src/report/html/diagnosis.ts';
import { drift, ghosts } from '../../../src/report/html/differences.ts';
import { facts, objects } from '../../../src/report/html/facts.ts';
import { history } from '../../../src/report/html/history.ts';
import { markup } from '../../../src/report/html/markup.ts';
import { contents, joinParts, type Part, rowsOf } from '../../../src/report/html/part.ts';
import { plan } from '../../../src/report/html/plan.ts';
import { difference, snapshot } from '../../../src/report/html/snapshot.ts';
import { timeline } from '../../../src/report/html/timeline.ts';
import { topology } from '../../../src/report/html/topology.ts';
import { verdictPanel } from '../../../src/report/html/verdict-panel.ts';
import type { Result } from '../../../src/report/result.ts';
import { cancelled, failure, planned, success } from '../example.ts';
import { filled } from '../filled.ts';
import { all, cells, type Element, readHtml } from './read.ts';

const root = (body: string) =>
  readHtml(`<!doctype html><html lang="en"><title>x</title><body>${body}</body></html>`);
const drawn = (...parts: Part[]) => root(joinParts(parts, 500_000));
const texts = (element: Element, name: string) => all(element, name).map(({ text }) => text.trim());
/** Terms and what is said of each. */
const told = (element: Element) => {
  const [terms, said] = [texts(element, 'dt'), texts(element, 'dd')];
  return terms.map((term, index) => [term, said[index]]);
};
const { failure: WHY = expect.unreachable() } = failure();

describe('the diagnosis', () => {
  test('has what is known of a failure, in the order of reading', () => {
    expect(told(drawn(...diagnosis(failure())))).toEqual([
      ['Cause', 'consul-server-2 did not become ready within 10 min'],
      ['Check', 'failed Servers ready: expected 3 of 3, observed 2 of 3: consul-server-2 is Pending'],
      ['Where', 'Pod/consul-server-2'],
      ['What to do', 'Free 100m of CPU on a third node, or ask for fewer servers.'],
      ['Help', 'timeout'],
      ['The cluster is left as', 'running what was applied; the lock is released'],
    ]);
    const evidence = drawn(...diagnosis(failure()));
    expect(texts(evidence, 'summary')).toEqual(['Evidence: 2 lines']);
    expect(all(evidence, 'details').map(({ attributes }) => attributes)).toEqual([
      { open: '', class: 'evidence' },
    ]);
    expect(texts(evidence, 'li')).toEqual(WHY.details);
  });

  test('says when a trouble was seen, and when it was told', () => {
    const seen = (seenMs: number, dueMs: number) =>
      told(drawn(...diagnosis(failure({ failure: { ...WHY, detection: { seenMs, dueMs } } })))).find(
        ([term]) => term === 'Seen',
      );
    expect(seen(1000, 61_000)).toEqual(['Seen', '1 s after the start; told after 1 min 1 s']);
    expect(seen(-5, -1)).toEqual(['Seen', '0 ms after the start; told after 0 ms']);
  });

  test('leaves out what is not known, and the cluster of a render', () => {
    const bare = { reason: 'image', what: 'x', details: [] } as const;
    const result = failure({ mode: 'render', checks: [], failure: { ...bare, details: [] } });
    expect(told(drawn(...diagnosis(result)))).toEqual([['Cause', 'x']]);
    expect(all(drawn(...diagnosis(result)), 'details')).toEqual([]);
    const { failure: _, ...silent } = cancelled({ checks: [] });
    expect(told(drawn(...diagnosis(silent)))).toEqual([['The cluster is left as', silent.left]]);
    expect(all(drawn(...diagnosis(silent)), 'ol')).toEqual([]);
    expect(diagnosis(success())).toEqual([]);
  });
});

describe('the facts', () => {
  const of = (result: Result) => told(drawn(facts(result)));

  test('are those that are known, and no others', () => {
    const {
      topology: _t,
      cluster: _c,
      uiCommand: _u,
      leader: _l,
      image: _i,
      manifestDigest: _m,
      ...bare
    } = success();
    expect(of({ ...bare, mode: 'render' })).toEqual([['Began', '2026-03-01 10:00 UTC']]);
    expect(
      of(
        success({
          ...{
            serverAddresses: 'service',
            gossip: 'strict',
            manifestsPath: 'out.yaml',
            manifestDigest: 'sha256:1',
          },
          ...{ image: 'consul:1', tls: { state: 'enforced', until: '2026-05-30T10:00:00Z' } },
        }),
      ),
    ).toEqual([
      ['The cluster is left as', 'running the new configuration, nothing pending'],
      ['Open the UI', 'kubectl --context staging -n consul port-forward svc/consul-ui 8500:80'],
      ['Leader', 'consul-server-0'],
      ['Image', 'consul:1'],
      ['Servers are at', 'the addresses of their Services'],
      ['Gossip', 'encrypted'],
      ['RPC', 'TLS; certificates until 2026-05-30 10:00 UTC'],
      ['Kubernetes context', 'staging'],
      ['Manifests', 'out.yaml'],
      ['Manifest digest', 'sha256:1'],
      ['Began', '2026-03-01 10:00 UTC'],
    ]);
  });

  test.each<[Partial<Result>, string, string]>([
    [{ serverAddresses: 'pod' }, 'Servers are at', 'the addresses of their pods'],
    [{ gossip: 'plaintext' }, 'Gossip', 'plaintext'],
    [{ gossip: 'takes-both' }, 'Gossip', 'encrypted; plaintext is still taken'],
    [{ tls: { state: 'plaintext' } }, 'RPC', 'plaintext'],
    [{ tls: { state: 'offered' } }, 'RPC', 'TLS beside plaintext'],
  ])('say in words %j', (rest, term, words) => {
    expect(of(success(rest)).find(([name]) => name === term)?.[1]).toBe(words);
  });
});

describe('objects', () => {
  test('are folded away, ordered and counted by what became of them', () => {
    const element = drawn(...objects(success()));
    expect(texts(element, 'h2')).toEqual(['Objects: 2 created, 1 changed, 1 unchanged']);
    expect(texts(element, 'summary')).toEqual(['All objects']);
    expect(texts(element, 'caption')).toEqual(['Every object of this deployment.']);
    expect(cells(element)).toEqual([
      ['Object', 'Namespace', 'What became of it'],
      ['Service/consul-server', 'consul', 'created'],
      ['StatefulSet/consul-server', 'consul', 'created'],
      ['ConfigMap/consul-server', 'consul', 'changed'],
      ['Namespace/consul', '', 'unchanged'],
    ]);
    expect(
      all(element, 'th')
        .slice(0, 3)
        .map(({ attributes }) => attributes.class),
    ).toEqual(['code', 'code', '']);
  });

  test('of a render are only counted; without any there is no part', () => {
    expect(texts(drawn(...objects(success({ mode: 'render' }))), 'h2')).toEqual(['Objects: 4 objects']);
    expect(objects(success({ objects: [] }))).toEqual([]);
  });
});

describe('checks and warnings', () => {
  test('a check that was skipped took no time', () => {
    const element = drawn(...checks(success()));
    expect(texts(element, 'h2')).toEqual(['Checks: 7 passed, 1 skipped']);
    expect(texts(element, 'caption')).toEqual(['What was proven, and what was seen.']);
    expect(cells(element)[0]).toEqual(['Check', 'Status', 'Expected', 'Observed', 'Time']);
    expect(cells(element)[1]).toEqual(['Servers ready', 'passed', '3 of 3', '3 of 3', '3.2 s']);
    expect(cells(element).at(-1)).toEqual(['Service in DNS', 'skipped', 'an answer', '', '']);
    expect(
      all(element, 'th')
        .slice(0, 5)
        .map(({ attributes }) => attributes.class),
    ).toEqual(['', '', 'wide', 'wide', 'figure']);
    const badges = all(element, 'span').map(({ attributes }) => attributes.class);
    expect(badges.at(-1)).toBe('badge skipped');
    expect(checks(success({ checks: [] }))).toEqual([]);
  });

  test('warnings are a list, and counted', () => {
    const element = drawn(...warnings(success({ warnings: ['first', 'second'] })));
    expect(texts(element, 'h2')).toEqual(['Warnings: 2']);
    expect(texts(element, 'li')).toEqual(['warning first', 'warning second']);
    expect(warnings(success())).toEqual([]);
  });
});

describe('what a reader sees first', () => {
  const panel = (result: Result) => root(`${verdictPanel(result)}`);
  const tiles = (result: Result) => texts(panel(result), 'li');

  test.each<[string, Result, string, string]>([
    ['success', success(), 'verdict passed', 'Success'],
    ['failure', failure(), 'verdict failed', 'Failure'],
    ['cancellation', cancelled(), 'verdict pending', 'Cancelled'],
  ])('is %s, by colour, shape and word', (_, result, look, word) => {
    const element = panel(result);
    expect(all(element, 'header')[0]?.attributes.class).toBe(look);
    const outcome = all(element, 'p').find(({ attributes }) => attributes.class === 'outcome');
    expect(outcome?.text).toBe(word);
    expect(all(outcome ?? element, 'use')[0]?.attributes.href).toBe(`#shape-${look.split(' ')[1]}`);
  });

  test('says where, as far as it is known', () => {
    const where = (result: Result) =>
      all(panel(result), 'p').find(({ attributes }) => attributes.class === 'where')?.text;
    expect(where(success())).toBe(
      'Cluster consul in namespace consul · Kubernetes v1.36.1 at https://10.0.0.1:6443 · Consul 1.22.7',
    );
    const { cluster: _, consulVersion: _v, ...offline } = success();
    expect(where(offline)).toBe('Cluster consul in namespace consul');
    expect(where({ ...offline, cluster: { server: 'https://a' } })).toBe(
      'Cluster consul in namespace consul · Kubernetes at https://a',
    );
    expect(texts(panel(success()), 'p')[0]).toBe('consul-deploy deploy 2026-03-01 10:00 UTC');
  });

  test('has the figures of the run', () => {
    expect(tiles(success())).toEqual([
      '7 of 7 checks passed',
      '3 voters',
      '10 of 10 clients ready',
      '8.4 s from start to end',
    ]);
    const [check = expect.unreachable()] = success().checks;
    const { voters: _v, clientsReady: _r, ...rest } = success();
    expect(tiles({ ...rest, checks: [] })).toEqual(['8.4 s from start to end']);
    expect(
      tiles({
        ...rest,
        voters: 1,
        clientsReady: 0,
        clientsDesired: 0,
        checks: [{ ...check, status: 'warning' }, check],
      }),
    ).toEqual(['1 of 2 checks passed', '1 voter', '8.4 s from start to end']);
  });

  test('counts changes of a plan, drift, and objects of a render', () => {
    const drift = [{ kind: 'A', name: 'b', what: 'missing' as const, fields: [] }];
    const { plan = [] } = planned();
    expect(tiles(planned())).toEqual(['8 changes', '0.6 s from start to end']);
    expect(tiles(planned({ plan: plan.slice(0, 1) }))[0]).toBe('1 change');
    expect(tiles(success({ plan, drift }))).toEqual([
      ...['7 of 7 checks passed', '3 voters', '10 of 10 clients ready', '1 difference'],
      '8.4 s from start to end',
    ]);
    expect(tiles(success({ mode: 'render' }))).toContain('4 objects');
  });
});

describe('parts of the page', () => {
  const everything = filled('a text');
  const parts = [
    ...[...diagnosis(everything), ...drift(everything), ...ghosts(everything), ...difference(everything)],
    ...[...snapshot(everything), ...topology(everything), ...checks(everything), ...warnings(everything)],
    ...[
      ...timeline(everything),
      ...plan(everything),
      ...history(everything),
      facts(everything),
      ...objects(everything),
    ],
  ];

  test('have an anchor and a title each, and a word for what is cut of them', () => {
    expect(parts.map(({ id, title, noun }) => [id, title.split(':')[0], noun])).toEqual([
      ['diagnosis', 'Diagnosis', 'lines of evidence are'],
      ['drift', 'Drift', 'differences are'],
      ['catalog', 'Catalog', 'ghosts are'],
      ['difference', 'Difference', 'differences are'],
      ['snapshot', 'Snapshot', undefined],
      ['topology', 'Topology', 'nodes are'],
      ['checks', 'Checks', 'checks are'],
      ['warnings', 'Warnings', 'warnings are'],
      ['timeline', 'Timeline', 'phases and steps are'],
      ['plan', 'Plan', 'changes are'],
      ['history', 'History', undefined],
      ['facts', 'Facts', undefined],
      ['objects', 'Objects', 'objects are'],
    ]);
  });

  test('end what they begin, so that each stands behind the other', () => {
    const [body = expect.unreachable()] = all(root(`${joinParts(parts, 500_000)}<footer></footer>`), 'body');
    expect(body.children.map(({ name, attributes }) => attributes.id ?? name)).toEqual([
      ...parts.map(({ id }) => id),
      'footer',
    ]);
    const rest = joinParts(
      parts.map((part) => ({ ...part, left: 1 })),
      500_000,
    );
    for (const note of all(root(rest), 'p').filter(({ attributes }) => attributes.class === 'rest'))
      expect(note.text).toMatch(/^(1 more|And)/);
    // What was cut is told behind a table or a list, not in it.
    const within = all(root(rest)).filter(({ name }) =>
      ['table', 'tbody', 'ul', 'ol', 'details'].includes(name),
    );
    expect(
      within.flatMap((one) => all(one, 'p').map(({ text }) => text)).filter((text) => /^1 more/.test(text)),
    ).toEqual([]);
  });

  test('say in each cell of a table of which column it is, for screens that show cards', () => {
    const tables = all(drawn(...parts), 'table');
    expect(tables.length).toBeGreaterThan(8);
    for (const table of tables) {
      const [head = expect.unreachable(), ...rows] = all(table, 'tr');
      const looks = head.children.map(({ attributes }) => attributes.class);
      for (const { children } of rows) {
        expect(children.map(({ attributes }) => attributes.class)).toEqual(looks);
        expect(children.slice(1).map(({ attributes }) => attributes['data-title'])).toEqual(
          head.children.slice(1).map(({ text }) => text),
        );
      }
    }
  });

  test('have a heading and an anchor each, to which the contents link', () => {
    const parts: Part[] = [
      {
        id: 'a',
        title: 'First: with figures',
        head: markup`<p>head</p>`,
        rows: [markup`<p>row</p>\n`],
        tail: markup`<p>tail</p>`,
      },
      { id: 'b', title: 'Second' },
    ];
    expect(joinParts(parts, 10_000)).toBe(
      [
        '<section id="a" aria-labelledby="a-title">\n<h2 id="a-title">First: with figures</h2>\n<p>head</p><p>row</p>\n<p>tail</p></section>\n',
        '<section id="b" aria-labelledby="b-title">\n<h2 id="b-title">Second</h2>\n</section>\n',
      ].join(''),
    );
    const links = all(root(`${contents(parts)}`), 'a').map(({ text, attributes }) => [text, attributes.href]);
    expect(links).toEqual([
      ['First', '#a'],
      ['Second', '#b'],
    ]);
  });

  test('are of at most a hundred rows, and no other is made', () => {
    let made = 0;
    const items = Array.from({ length: 103 }, (_, index) => index);
    const { rows, left } = rowsOf(items, (item) => {
      made++;
      return markup`<p>${item}</p>`;
    });
    expect([rows.length, left, made]).toEqual([100, 3, 100]);
    expect(`${rows[99]}`).toBe('<p>99</p>');
    expect(joinParts([{ id: 'a', title: 'A', rows, left, noun: 'items are' }], 100_000)).toContain(
      '<p class="rest">3 more items are not shown here.</p>',
    );
  });
});
