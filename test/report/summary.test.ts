import { describe, expect, test } from 'vitest';
import type { Result } from '../../src/report/result.ts';
import { summary } from '../../src/report/summary.ts';
import { cancelled, failure, HOSTILE, hostile, success } from './example.ts';

/** The page without the blocks in which Markdown is not read, and those blocks. */
function split(page: string): { prose: string; blocks: string[] } {
  const blocks: string[] = [];
  const prose = page.replace(/<pre>\n[\s\S]*?<\/pre>|^(`{3,})\w+\n[\s\S]*?\n\1$/gm, (block) => {
    blocks.push(block);
    return 'BLOCK';
  });
  return { prose, blocks };
}

/** What a Markdown reader takes for structure: tags, cells, links, lines. */
function structure(prose: string): unknown {
  return {
    tags: prose.match(/<[^>]*>?/g),
    cells: prose.split('\n').map((line) => (line.startsWith('|') ? line.split('|').length : 0)),
    links: prose.match(/\[[^\]]*\]\([^)]*\)|\w+:\/\/|www\.|(?<!&)[@#]\w+/g),
  };
}

function object(index: number): Result['objects'][number] {
  return {
    kind: 'ConfigMap',
    name: `object-${index}-${'x'.repeat(80)}`,
    namespace: 'consul',
    action: 'created',
  };
}

describe('a summary', () => {
  test('of success', () => expect(summary(success())).toMatchSnapshot());
  test('of failure', () => expect(summary(failure())).toMatchSnapshot());
  test('of cancellation', () => expect(summary(cancelled())).toMatchSnapshot());

  test('of a render says nothing about a cluster', () => {
    const {
      cluster: _c,
      voters: _v,
      uiCommand: _u,
      ...rest
    } = success({ mode: 'render', manifestsPath: 'out.yaml' });
    const text = summary({ ...rest, checks: [] });
    expect(text).toContain('## ✅ Manifests rendered: 4 objects in 8.4 s');
    expect(text).toContain('`out.yaml`');
    expect(text).not.toMatch(/left as|Checks|Open the UI/);
  });

  test.each([
    ['one server', { voters: 1, clientsReady: 1, clientsDesired: 1 }, '1 voter, 1 client, proven'],
    ['clients missing', { clientsReady: 9 }, '3 voters, 9 of 10 clients, proven'],
    ['no clients', { clientsReady: 0, clientsDesired: 0 }, '3 voters, proven'],
  ])('counts %s', (_, rest, words) => expect(summary(success(rest))).toContain(words));

  test('puts the failed check before the one still open, wherever they stand', () => {
    const [, ...lines] = summary(failure())
      .split('\n')
      .filter((line) => /^(\||>).*(Servers ready|Voters)/.test(line));
    expect(lines.map((line) => line.slice(0, 20))).toEqual([
      '| ❌ | Servers ready ',
      '| ⏳ | Voters | 3 | 2',
    ]);
    expect(summary(failure()).indexOf('**Servers ready**')).toBeLessThan(
      summary(failure()).indexOf('### Checks'),
    );
  });

  test('names the cause where the headline has no room for it', () => {
    const what = `${'a long story '.repeat(40)}and its end`;
    const help = 'https://github.com/org/consul-deploy/blob/v0.1.0/docs/troubleshooting.md#conflict';
    expect(summary(failure({ failure: { reason: 'conflict', what, help, details: [] } }))).toContain(
      'and its end<br>',
    );
  });

  test.each([
    ['service', 'Services'],
    ['pod', 'pods'],
  ] as const)('says where its servers are: %s', (serverAddresses, words) => {
    expect(summary(success({ serverAddresses }))).toContain(
      ` · servers at the addresses of their ${words}\n`,
    );
  });

  test('says something when a failed run has nothing to say', () => {
    const { failure: _failure, ...rest } = failure({ checks: [], phases: [] });
    expect(summary(rest)).toContain('## ❌ Consul is not proven: no cause given');
  });
});

describe('hostile text in every field', () => {
  const calm = split(summary(hostile('calm words', cancelled())));

  test.each(Object.entries(HOSTILE))('changes nothing around it: %s', (_, text) => {
    const page = summary(hostile(text, cancelled()));
    const { prose, blocks } = split(page);
    expect(structure(prose)).toEqual(structure(calm.prose));
    expect(blocks).toHaveLength(calm.blocks.length);
    expect(
      blocks.filter((block) => block.startsWith('<pre>')).map((block) => block.match(/<[^>]*>?/g)),
    ).toEqual([['<pre>', '</pre>']]);
    expect(page.isWellFormed()).toBe(true);
    expect(page).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});

describe('size', () => {
  test('is below the limit with a hundred thousand objects, and no check is missing', () => {
    const checks = Array.from({ length: 500 }, (_, index) => ({
      ...(success().checks[0] ?? expect.unreachable()),
      title: `check ${index}.`,
      observed: '日本語'.repeat(40),
    }));
    const text = summary(
      success({ checks, objects: Array.from({ length: 100_000 }, (_, index) => object(index)) }),
    );
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(900_000);
    for (const { title } of checks) expect(text).toContain(`| ${title} |`);
    expect(text).toMatch(/_\d+ more objects are not shown here/);
    expect(text.trimEnd().endsWith('_')).toBe(true);
  });

  test('cuts objects first, then evidence, warnings, and checks last', () => {
    const rows = Array.from({ length: 50 }, (_, index) => index);
    const [check = expect.unreachable()] = success().checks;
    const result = failure({
      checks: rows.map((index) => ({ ...check, title: `check ${index}` })),
      warnings: rows.map((index) => `warning ${index}`),
      failure: { reason: 'timeout', what: 'x', details: rows.map((index) => `line ${index}`) },
      objects: rows.map(object),
    });
    const cut = new Set<string | undefined>();
    for (let max = Buffer.byteLength(summary(result)) + 1000; max > 3000; max -= 100) {
      const text = summary(result, max);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(max);
      for (const [, noun] of text.matchAll(/_\d+ more (\w+)/g)) cut.add(noun);
    }
    expect([...cut]).toEqual(['objects', 'lines', 'warnings', 'checks']);
  });
});
