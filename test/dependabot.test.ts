import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Update {
  'package-ecosystem': string;
  directory: string;
  ignore?: object[];
}

const { updates } = parse(read('.github/dependabot.yml')) as { updates: Update[] };
const MANIFEST: Record<string, string> = {
  npm: 'package-lock.json',
  docker: 'Dockerfile',
  gomod: 'go.mod',
  'github-actions': '.github/workflows',
};

test.each(updates)('Dependabot finds what it follows: $package-ecosystem in $directory', (update) => {
  const manifest = MANIFEST[update['package-ecosystem']] ?? '';
  expect(manifest).not.toBe('');
  expect(existsSync(join(ROOT, update.directory, manifest))).toBe(true);
});

test('every Dockerfile is followed', () => {
  const followed = updates
    .filter((update) => update['package-ecosystem'] === 'docker')
    .map(({ directory }) => join('/', directory, 'Dockerfile').slice(1));
  const exclude = (path: string) => path.startsWith('node_modules') || path === '.git';
  const files = [
    ...globSync('**/Dockerfile', { cwd: ROOT, exclude }),
    ...globSync('.github/**/Dockerfile', { cwd: ROOT }),
  ];
  expect([...new Set(files)].sort()).toEqual(followed.sort());
});

describe('node images of kind', () => {
  const OLDEST = '.github/kind/oldest/Dockerfile';
  const NEWEST = '.github/kind/newest/Dockerfile';
  const image = (path: string) => /^FROM (kindest\/node:v[\d.]+@sha256:[0-9a-f]{64})$/m.exec(read(path))?.[1];

  test('are pinned by digest', () => {
    for (const path of [OLDEST, NEWEST]) expect(image(path), path).toBeDefined();
  });

  test('are the same ones wherever one is named', () => {
    const places = ['.github/workflows/*.yml', 'examples/**/*.yml', 'script/**', 'README.md', 'docs/**/*.md'];
    const named = globSync(places, { cwd: ROOT, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .flatMap((path) =>
        (readFileSync(path, 'utf8').match(/kindest\/node[:@][\w.:@]+/g) ?? []).map((one) => ({ path, one })),
      );
    for (const { path, one } of named) expect([image(OLDEST), image(NEWEST)], path).toContain(one);
    const used = named.filter(({ path }) => !path.includes('/examples/')).map(({ one }) => one);
    expect([...new Set(used)].sort()).toEqual([image(OLDEST), image(NEWEST)].sort());
  });

  test('the oldest is the one that README.md calls supported, and stays that one', () => {
    const [, minor] = /Kubernetes (\d+\.\d+) and later/.exec(read('README.md')) ?? [];
    expect(image(OLDEST)).toContain(`:v${minor}.`);
    expect(updates.find(({ directory }) => directory === '/.github/kind/oldest')?.ignore).toEqual([
      {
        'dependency-name': 'kindest/node',
        'update-types': ['version-update:semver-major', 'version-update:semver-minor'],
      },
    ]);
  });
});
