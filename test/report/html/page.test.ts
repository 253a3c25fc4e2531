import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { formatDuration } from '../../../src/report/duration.ts';
import { logSafe, oneLine } from '../../../src/report/escape.ts';
import { toHtml } from '../../../src/report/html/page.ts';
import { STYLE } from '../../../src/report/html/style.ts';
import type { Result } from '../../../src/report/result.ts';
import { verdict } from '../../../src/report/verdict.ts';
import { many, PAGES } from '../../chromium/pages.ts';
import { cancelled, failure, GHOSTS, HOSTILE, hostile, planned, success } from '../example.ts';
import { runnerCommands } from '../runner.ts';
import { all, byId, cells, type Element, readHtml } from './read.ts';

const read = (result: Result) => readHtml(toHtml(result));
const flat = (text: string) => text.replace(/\s+/g, ' ').trim();
const page = (name: string) => PAGES[name]?.() ?? expect.unreachable();

describe.each(Object.entries(PAGES))('the page of %s', (_, make) => {
  const result = make();
  const root = read(result);

  test('says the verdict in its title and its one heading of the first level', () => {
    const { headline } = verdict(result);
    expect(all(root, 'h1').map(({ text }) => text)).toEqual([headline]);
    expect(all(root, 'title')[0]?.text).toContain(headline);
  });

  test('loads nothing and runs nothing', () => {
    const elements = all(root);
    for (const { name, attributes } of elements) {
      expect(['script', 'link', 'img', 'iframe', 'object', 'embed', 'form', 'base']).not.toContain(name);
      for (const [key, value] of Object.entries(attributes)) {
        expect(key).not.toMatch(/^(on|style$|src|srcdoc)/);
        if (key === 'href' && !value.startsWith('#')) expect(value).toBe(result.failure?.help);
      }
    }
    expect(STYLE).not.toMatch(/url\(|@import|@font-face/);
  });

  test('allows by its policy its own style alone', () => {
    const [style] = all(root, 'style');
    const digest = createHash('sha256')
      .update(style?.text ?? '')
      .digest('base64');
    const policy = all(root, 'meta').find(({ attributes }) => 'http-equiv' in attributes)?.attributes.content;
    expect(policy?.split('; ')).toEqual([
      "default-src 'none'",
      `style-src 'sha256-${digest}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
  });

  test('has names that are unique, and refers to none that is not there', () => {
    const elements = all(root);
    const ids = elements.flatMap(({ attributes: { id } }) => id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const refers = elements.flatMap(({ attributes }) => [
      ...(attributes['aria-labelledby']?.split(' ') ?? []),
      ...(attributes.href?.startsWith('#') ? [attributes.href.slice(1)] : []),
    ]);
    expect(refers.length).toBeGreaterThan(5);
    for (const id of refers) expect(ids).toContain(id);
  });

  test('has landmarks, headings in order, and tables and pictures that say what they are', () => {
    expect(root.attributes.lang).toBe('en');
    for (const name of ['main', 'nav', 'header', 'footer']) expect(all(root, name), name).toHaveLength(1);
    const levels = all(root).flatMap(({ name }) => (/^h[1-6]$/.test(name) ? [Number(name[1])] : []));
    for (const [index, level] of levels.entries())
      expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1);
    for (const table of all(root, 'table')) {
      expect(all(table, 'caption')).toHaveLength(1);
      const [head, ...rows] = all(table, 'tr');
      for (const { attributes } of head?.children ?? []) expect(attributes.scope).toBe('col');
      for (const { children } of rows) expect(children[0]?.attributes.scope).toBe('row');
    }
    for (const svg of all(root, 'svg')) {
      if (svg.attributes.role !== 'img') continue;
      for (const name of ['title', 'desc'])
        expect(flat(svg.children.find((one) => one.name === name)?.text ?? '')).not.toBe('');
    }
  });
});

describe('what is on it', () => {
  test('every check with what was expected and observed, those that failed first', () => {
    const rows = cells(byId(read(failure()), 'checks')).slice(1);
    expect(rows).toEqual([
      ['Servers ready', 'failed', '3 of 3', '2 of 3: consul-server-2 is Pending', '9 min 59 s'],
      ['Voters', 'still open', '3', '2', '9 min 57 s'],
      ['Clients ready', 'passed', '10 of 10', '10 of 10', '4.6 s'],
    ]);
  });

  test('the diagnosis with cause, cure, help and evidence; none where all is well', () => {
    const result = failure();
    const diagnosis = byId(read(result), 'diagnosis');
    for (const text of [result.failure?.what, result.failure?.where, result.failure?.hint, result.left])
      expect(diagnosis.text).toContain(text);
    expect(all(diagnosis, 'a')[0]?.attributes.href).toBe(result.failure?.help);
    expect(all(diagnosis, 'li').map(({ text }) => text)).toEqual(result.failure?.details);
    expect(() => byId(read(success()), 'diagnosis')).toThrow('0 elements');
    expect(byId(read(cancelled()), 'diagnosis').text).toContain('the run was cancelled');
  });

  test('the timeline with every replaced server, what it waited for, and bars in their places', () => {
    const result = page('green');
    const timeline = byId(read(result), 'timeline');
    const rows = cells(timeline);
    const apply = result.phases.find(({ name }) => name === 'apply');
    for (const { name, startMs, endMs, waits = [] } of apply?.steps ?? []) {
      const row = rows.find(([first]) => first === name);
      expect(row?.slice(2), name).toEqual([formatDuration(startMs), formatDuration(endMs - startMs)]);
      for (const { what } of waits) expect(row?.[1]).toContain(what);
    }
    const spans = all(timeline, 'rect').filter(({ attributes }) => attributes.class === 'span');
    const steps = [...result.phases.flatMap(({ steps = [], ...phase }) => [phase, ...steps])];
    expect(
      spans.map(({ attributes: { x = '', width = '' } }) => [Number.parseFloat(x), Number.parseFloat(width)]),
    ).toEqual(
      steps.map(({ startMs, endMs }) => [
        expect.closeTo((startMs / result.durationMs) * 100, 1),
        expect.closeTo(((endMs - startMs) / result.durationMs) * 100, 1),
      ]),
    );
  });

  test('the timeline marks what failed with a word', () => {
    const failed = cells(byId(read(failure()), 'timeline')).filter(([name]) => name?.endsWith('failed'));
    expect(failed.map(([name]) => name)).toEqual(['Wait for servers and clientsfailed']);
  });

  test('the topology: a picture for each node, told in words too', () => {
    const topology = byId(read(page('red')), 'topology');
    expect(topology.text).toContain(
      '3 servers, 2 of them voters; consul-server-0 leads; 10 clients on 2 nodes.',
    );
    const told = all(topology, 'svg').flatMap((svg) => {
      const part = (name: string) => svg.children.find((one) => one.name === name)?.text;
      return part('title') === undefined ? [] : [[part('title'), part('desc')]];
    });
    expect(told).toEqual([
      ['worker-1', 'consul-server-0: leader, ready. 5 of 5 clients ready.'],
      ['worker-2', 'consul-server-1: voter, not ready. 2 of 4 clients ready.'],
      ['On no node yet', 'consul-server-2: server, no pod. 0 of 1 client ready.'],
    ]);
    const clients = all(topology, 'li').map(
      (node) => all(node).filter(({ attributes }) => attributes.class?.startsWith('client')).length,
    );
    expect(clients.slice(0, 3)).toEqual([5, 4, 1]);
  });

  test('two servers that each lead are both said to lead', () => {
    const { topology } = success();
    const servers = topology?.servers.map((server) => ({ ...server, raft: 'leader' as const })) ?? [];
    const said = byId(
      read(success({ topology: { servers: servers.slice(0, 2), nodes: [] } })),
      'topology',
    ).text;
    expect(said).toContain('consul-server-0 and consul-server-1 lead');
  });

  test('the history: a chart for each figure, with a bar for each run that has it, and all figures as a table', () => {
    const result = page('green');
    const runs = result.history ?? [];
    const history = byId(read(result), 'history');
    expect(all(history, 'h3').map(({ text }) => text)).toEqual([
      'Time to verdict',
      'Commit latency',
      'Failed writes',
      'Drift',
    ]);
    const charts = all(history, 'svg');
    const heights = charts.map((chart) =>
      all(chart, 'rect').map(({ attributes: { height, y } }) => [Number(height), Number(y)]),
    );
    const values = [
      runs.map(({ verdictMs }) => verdictMs),
      runs.flatMap(({ commitMs }) => commitMs ?? []),
      runs.flatMap(({ failedWrites }) => failedWrites ?? []),
      runs.flatMap(({ drift }) => drift ?? []),
    ];
    for (const [index, ofRuns] of values.entries()) {
      const bars = heights[index] ?? [];
      expect(bars).toHaveLength(ofRuns.length);
      const most = Math.max(...ofRuns);
      const tallest = Math.max(...bars.map(([height = 0]) => height));
      for (const [at, value] of ofRuns.entries()) {
        const [height = 0, y = 0] = bars[at] ?? [];
        expect(height / tallest).toBeCloseTo(Math.max(value / most, 2 / tallest), 1);
        expect(height + y).toBeCloseTo(66, 0);
      }
    }
    expect(cells(history).slice(1)).toHaveLength(runs.length);
    expect(cells(history)[1]).toEqual([
      '2026-03-01 10:00 UTC',
      'deploy, changed',
      '25.9 s',
      '35 ms',
      '0',
      '–',
    ]);
  });

  test('the history says whether this run is in it', () => {
    expect(byId(read(success()), 'history').text).toContain('that is this run');
    expect(byId(read(page('red')), 'history').text).toContain('this run is not among them');
  });

  test('the plan with every difference, before and after; of a deploy folded away behind the checks', () => {
    const result = planned();
    const root = read(result);
    const plan = byId(root, 'plan');
    for (const { fields, notes } of result.plan ?? []) {
      for (const text of notes) expect(plan.text).toContain(text);
      for (const { path } of fields) expect(plan.text).toContain(path);
    }
    expect(all(plan, 'del').map(({ text }) => text)).toEqual([
      '−before: "consul:1.22.6"',
      '−before: "a": 1,',
      '−before: "a"',
    ]);
    expect(all(plan, 'ins')).toHaveLength(3);
    const open = (where: Element) =>
      all(where, 'details').filter(({ attributes }) => 'open' in attributes).length;
    expect(open(plan)).toBe(3);
    const green = read(page('green'));
    const ids = all(green, 'section').map(({ attributes }) => attributes.id);
    expect(ids.indexOf('plan')).toBeGreaterThan(ids.indexOf('checks'));
    expect(open(byId(green, 'plan'))).toBe(0);
    expect(all(root, 'section')[0]?.attributes.id).toBe('plan');
  });

  test('drift and ghosts', () => {
    const root = read(page('drift'));
    const rows = cells(byId(root, 'drift')).slice(1);
    expect(rows.map(([object, , by]) => [object, by])).toEqual([
      ['StatefulSet/consul-client', 'kubectl (scale)'],
      ['ConfigMap/consul-server-config', 'kubectl-edit'],
      ['Service/consul-ui', ''],
    ]);
    expect(rows[0]?.[1]).toBe('.spec.replicas−before: 10+after: 4');
    expect(
      cells(byId(root, 'catalog'))
        .slice(1)
        .map(([, outcome]) => outcome),
    ).toEqual(['removed', 'kept', 'kept']);
    expect(GHOSTS).toHaveLength(3);
  });

  test('nothing of a cluster that was not looked at', () => {
    const {
      topology: _t,
      history: _h,
      cluster: _c,
      ...rest
    } = success({ mode: 'render', checks: [], phases: [] });
    const ids = all(read(rest), 'section').map(({ attributes }) => attributes.id);
    expect(ids).toEqual(['facts', 'objects']);
  });
});

describe('hostile text', () => {
  const shape = ({ name, attributes, children }: Element): unknown => [
    name,
    Object.keys(attributes).sort(),
    children.map(shape),
  ];
  const calm = (result: Result) => shape(read(hostile('calm words', result)));

  test.each(Object.entries(HOSTILE))('is text and nothing else: %s', (_, text) => {
    for (const result of [failure(), { ...planned(), mode: 'plan' as const }, success({ ghosts: GHOSTS })]) {
      const html = toHtml(hostile(text, result));
      const root = readHtml(html);
      expect(runnerCommands([html])).toEqual([]);
      expect(html.isWellFormed()).toBe(true);
      const [start] = logSafe(oneLine(text, 20)).split('…');
      expect(root.text.includes(start?.trim() ?? '')).toBe(true);
      // A line that is cut, and more lines of a value, are no structure; one that is empty has no time.
      expect(shape(root)).toEqual(calm(result));
    }
  });
});

describe('size', () => {
  test('stays below 600 kB, and the page says what it leaves out', () => {
    const html = toHtml(many());
    expect(Buffer.byteLength(html)).toBeLessThan(600_000);
    for (const noun of ['changes', 'differences', 'objects', 'warnings'])
      expect(html).toMatch(new RegExp(`>[0-9]+ more ${noun} are not shown here\\.<`));
    const root = readHtml(html);
    expect(byId(root, 'topology').text).toContain('more nodes');
    expect(byId(root, 'timeline').text).toContain('… and 461 more');
    expect(cells(byId(root, 'checks')).slice(1)).toHaveLength(success().checks.length);
    // All clients are counted, whether they are drawn or not.
    expect(byId(root, 'topology').text).toContain('568 clients on 250 nodes');
  });

  test('of a value of many lines and a change of many fields is bounded, too', () => {
    const value = Array.from({ length: 5_000 }, (_, index) => `line ${index}`).join('\n');
    const fields = Array.from({ length: 5_000 }, (_, index) => ({ path: `.a${index}`, after: value }));
    const html = toHtml(
      planned({ plan: [{ kind: 'A', name: 'b', consequence: 'in-place', fields, notes: [] }] }),
    );
    expect(Buffer.byteLength(html)).toBeLessThan(600_000);
    expect(html).toContain('more fields not shown here');
    expect(html).toContain('more lines');
  });
});

describe('colours', () => {
  /** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
  const luminance = (hex: string) => {
    const full = hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex;
    const [r = 0, g = 0, b = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(full.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one: string, other: string) => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const [light, dark] = [...STYLE.matchAll(/:root \{([^}]*--text[^}]*)\}/g)].map(([, block = '']) =>
    Object.fromEntries(
      [...block.matchAll(/--([\w-]+): (#[0-9a-f]{3,6})/g)].map(([, name, hex]) => [name, hex]),
    ),
  );
  const schemes = { light, dark };
  const text = ['text', 'muted'].flatMap((front) => ['page', 'card', 'sunken'].map((back) => [front, back]));
  const tinted = ['passed', 'failed', 'warning', 'pending'].flatMap((name) => [
    [name, `${name}-tint`],
    ['text', `${name}-tint`],
  ]);
  const shapes = ['bar', 'bar-step', 'accent', 'passed', 'failed'].flatMap((front) =>
    ['card', 'sunken'].map((back) => [front, back]),
  );

  test.each(['light', 'dark'] as const)(
    'of the scheme %s can be told apart from what is behind them',
    (name) => {
      const scheme = schemes[name] ?? {};
      const of = ([front = '', back = '']: string[]) => contrast(scheme[front] ?? '#', scheme[back] ?? '#');
      for (const pair of [...text, ...tinted, ['skipped', 'pending-tint'], ['link', 'card']])
        expect(of(pair), pair.join(' on ')).toBeGreaterThanOrEqual(4.5);
      // https://www.w3.org/TR/WCAG22/#non-text-contrast
      for (const pair of shapes) expect(of(pair), pair.join(' on ')).toBeGreaterThanOrEqual(3);
    },
  );
});
