import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { VERSION } from '../src/session/version.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const LOCK: { packages: Record<string, { version: string; dev?: boolean }> } = JSON.parse(
  read('package-lock.json'),
);

interface Component {
  name: string;
  version: string;
  hashes?: { alg: string; content: string }[];
}

/** Runs the script in a folder that has what it reads, with other licenses where they are given. */
function write(licenses = read('dist/licenses.txt')) {
  const folder = mkdtempSync(join(tmpdir(), 'sbom-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(ROOT, file), join(folder, file));
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist/licenses.txt'), licenses);
  const file = join(folder, 'sbom.json');
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'script/sbom.ts'), file], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stderr, file };
}

describe('the SBOM', () => {
  test('has every package that is bundled, by version and hash, and none for development alone', () => {
    const { status, stderr, file } = write();
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const sbom = JSON.parse(readFileSync(file, 'utf8'));
    expect(sbom).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: {
        component: { type: 'application', name: 'consul-deploy', version: VERSION },
      },
    });
    const components: Component[] = sbom.components;
    const bundled = Object.entries(LOCK.packages)
      .filter(([path, { dev }]) => path !== '' && !dev)
      .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);
    const named = components.map(({ name, version }) => `${name}@${version}`);
    expect(named.sort()).toEqual([...new Set(bundled)].sort());
    for (const { hashes } of components) expect(hashes?.[0]?.alg).toBe('SHA-512');
    const names = new Set(components.map(({ name }) => name));
    // Bundled, and of use in development as well: `npm sbom --omit dev` leaves them out.
    for (const name of ['yaml', 'picomatch', 'undici', 'zod']) expect(names).toContain(name);
    for (const name of ['vitest', 'typescript', '@vercel/ncc']) expect(names).not.toContain(name);
  });

  const LICENSES = read('dist/licenses.txt');
  const [before = '', after = ''] = LICENSES.split(/\n\nyocto-queue\n[\s\S]*(?=\n\nzod\n)/);

  test.each([
    ['a package without its license', before + after, 'yocto-queue: MIT: only in the SBOM'],
    [
      'a license of a package that is not in it',
      `${LICENSES}\n\nvitest\nMIT\n`,
      'vitest: MIT: only in dist/licenses.txt',
    ],
    [
      'another license',
      LICENSES.replace('\n\nzod\nMIT\n', '\n\nzod\nISC\n'),
      'zod: ISC: only in dist/licenses.txt',
    ],
  ])('is not written where dist/licenses.txt has %s', (_, licenses, difference) => {
    expect(licenses).not.toBe(LICENSES);
    const { status, stderr, file } = write(licenses);
    expect(status).toBe(1);
    expect(stderr).toContain(difference);
    expect(existsSync(file)).toBe(false);
  });
});
