import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** What people read, apart from the code. */
const PLACES = [
  '.',
  'docs',
  'docs/benchmarks',
  'docs/design',
  'docs/guides',
  'docs/reference',
  'examples',
  'examples/other-ci',
  'testbed',
  'test/e2e/faults',
  'bench',
  '.github',
  '.github/ISSUE_TEMPLATE',
];
const files = PLACES.flatMap((place) =>
  readdirSync(join(ROOT, place))
    .filter((name) => /\.(md|yml|yaml)$/.test(name))
    .map((name) => normalize(join(place, name))),
);

/** Without code, where brackets and `#` mean something else. */
function prose(markdown: string): string {
  return markdown
    .replace(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, '')
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, (span) => span.replace(/[[\]()<>]/g, ' '));
}

/** Targets of inline links, images and reference definitions, and of HTML. */
function links(markdown: string): string[] {
  const text = prose(markdown);
  const patterns = [
    /\]\(\s*(?:<([^>]+)>|([^)\s]+))[^)]*\)/g,
    /^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm,
    /(?:href|src)="([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, one, other = '']) => one ?? other),
  );
}

/**
 * The names that GitHub gives headings: lower case, without what is neither letter, digit, space, hyphen nor
 * underscore; the second one of a name is `name-1`.
 * https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/table_of_contents_filter.rb
 */
function anchors(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const names = new Set<string>();
  const withoutBlocks = markdown.replace(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, '');
  for (const [, heading = ''] of withoutBlocks.matchAll(/^ {0,3}#{1,6} +(.*?)(?: +#+)? *$/gm)) {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replace(/ /g, '-');
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    names.add(before === 0 ? name : `${name}-${before}`);
  }
  for (const [, id = ''] of markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)) names.add(id);
  return names;
}

/** Why a link of this file leads nowhere; undefined where it leads somewhere, or out of the repository. */
function wrong(file: string, target: string): string | undefined {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(target)) return undefined;
  const [path = '', fragment] = target.split('#');
  const found = path === '' ? file : normalize(join(dirname(file), decodeURIComponent(path)));
  if (found.startsWith('..')) return 'is outside of the repository';
  if (!existsSync(join(ROOT, found))) return 'does not exist';
  if (fragment === undefined) return undefined;
  if (statSync(join(ROOT, found)).isDirectory() || !found.endsWith('.md')) return 'has no headings';
  return anchors(read(found)).has(fragment) ? undefined : `has no heading #${fragment}`;
}

test('the documents are found', () => {
  for (const file of [
    'README.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'docs/guides/verify.md',
    'testbed/README.md',
  ])
    expect(files).toContain(file);
});

describe('every relative link leads to a file and a heading', () => {
  const pages = files.filter((file) => file.endsWith('.md'));
  test.each(pages)('%s', (file) => {
    const broken = links(read(file)).flatMap((target) => {
      const why = wrong(file, target);
      return why === undefined ? [] : [`${target} ${why}`];
    });
    expect(broken).toEqual([]);
  });

  test('and there are many', () => {
    expect(
      pages.flatMap((file) => links(read(file))).filter((target) => !/^https?:/.test(target)).length,
    ).toBeGreaterThan(80);
  });
});

test('files of this repository that documents, examples, templates and the action name in words exist', () => {
  const named = [...files, 'action.yml'].flatMap((file) =>
    [
      ...read(file).matchAll(
        /(?<![\w./-])((?:docs|examples|src|script|testbed|test)\/[\w./-]*\w)(?:#([\w-]+))?/g,
      ),
    ].map(([, path = '', fragment]) => ({ file, path, fragment })),
  );
  expect(named.length).toBeGreaterThan(50);
  const broken = named.filter(({ path, fragment }) => {
    if (!existsSync(join(ROOT, path))) return true;
    return fragment !== undefined && path.endsWith('.md') && !anchors(read(path)).has(fragment);
  });
  expect(broken).toEqual([]);
});

describe('a link is read as GitHub reads it', () => {
  const PAGE = [
    '# A `code` word, & more!',
    '## Twice',
    '## Twice',
    '```md',
    '## not one',
    '[no](nowhere.md)',
    '```',
    '',
  ].join('\n');

  test('headings have names', () => {
    expect([...anchors(PAGE)]).toEqual(['a-code-word--more', 'twice', 'twice-1']);
  });

  test.each([
    ['[x](a.md)', ['a.md']],
    ['[`x`](<a b.md> "t")', ['a b.md']],
    ['![x](a.png) and [y](b.md#c "title")', ['a.png', 'b.md#c']],
    ['[x]: a.md', ['a.md']],
    ['`[x](a.md)`', []],
    [PAGE, []],
  ])('%j', (text, targets) => expect(links(text)).toEqual(targets));

  test.each([
    ['docs/nothing.md', 'does not exist'],
    ['docs/guides/verify.md#nothing', 'has no heading #nothing'],
    ['../x.md', 'is outside of the repository'],
    ['LICENSE#x', 'has no headings'],
    ['docs/guides/verify.md', undefined],
    ['#recipes', undefined],
    ['https://example.com/x', undefined],
  ])('%s in README.md: %s', (target, why) => expect(wrong('README.md', target)).toBe(why));
});

test('pictures are of both schemes, are small, and README.md shows them', () => {
  const pictures = readdirSync(join(ROOT, 'docs/images'));
  expect(pictures.sort()).toEqual([
    'report-dark.png',
    'report-light.png',
    'summary-dark.png',
    'summary-light.png',
  ]);
  for (const picture of pictures) {
    expect(statSync(join(ROOT, 'docs/images', picture)).size, picture).toBeLessThan(100_000);
    expect(read('README.md')).toContain(`"docs/images/${picture}"`);
  }
});
