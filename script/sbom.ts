/**
 * Writes the SBOM of dist/ (CycloneDX) to a file: every package in the bundle, with version, license and hash. It ends red
 * where that is not what dist/licenses.txt lists. Needs npm, and no package that is installed.
 *
 *   node script/sbom.ts FILE
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Locked {
  dev?: boolean;
  devDependencies?: unknown;
}

export interface Lock {
  packages: Record<string, Locked>;
}

export interface Sbom {
  components: {
    name: string;
    version: string;
    licenses?: { license?: { id?: string; name?: string }; expression?: string }[];
  }[];
}

/**
 * The lock file of what is bundled. `npm sbom --omit dev` will not do: it also leaves out packages that are bundled and of
 * use in development as well, such as yaml.
 * https://github.com/npm/cli/blob/v11.19.1/lib/commands/sbom.js (the selector `:not(.dev)`)
 */
export function bundledOnly(lock: Lock): Lock {
  const packages = Object.entries(lock.packages)
    .filter(([, { dev }]) => !dev)
    .map(([path, { devDependencies: _, ...one }]) => [path, one]);
  return { ...lock, packages: Object.fromEntries(packages) };
}

/** `name: license` of all packages in dist/licenses.txt: a paragraph begins with the name of a package, then its license. */
export function licensesIn(text: string, lock: Lock): Set<string> {
  const names = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, '')));
  const lines = text.split('\n');
  return new Set(
    lines.flatMap((name, index) =>
      name !== '' && (lines[index - 1] ?? '') === '' && names.has(name)
        ? [`${name}: ${lines[index + 1]}`]
        : [],
    ),
  );
}

/** What one of them has and the other has not. */
export function differences(sbom: Sbom, licenses: ReadonlySet<string>): string[] {
  const listed = new Set(
    sbom.components.map(({ name, licenses: [one] = [] }) => {
      return `${name}: ${one?.expression ?? one?.license?.id ?? one?.license?.name}`;
    }),
  );
  return [
    ...[...licenses].filter((one) => !listed.has(one)).map((one) => `${one}: only in dist/licenses.txt`),
    ...[...listed].filter((one) => !licenses.has(one)).map((one) => `${one}: only in the SBOM`),
  ];
}

function main(): void {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new Error('usage: node script/sbom.ts FILE');
  const lock: Lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const { devDependencies: _, ...manifest } = JSON.parse(readFileSync('package.json', 'utf8'));
  const out = mkdtempSync(join(tmpdir(), 'sbom-'));
  try {
    // npm names the SBOM after the folder.
    const folder = join(out, manifest.name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(bundledOnly(lock)));
    const options = ['--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
    const text = execFileSync('npm', ['sbom', ...options], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const different = differences(
      JSON.parse(text),
      licensesIn(readFileSync('dist/licenses.txt', 'utf8'), lock),
    );
    if (different.length > 0)
      throw new Error(`the SBOM is not what dist/ holds:\n  ${different.join('\n  ')}`);
    writeFileSync(file, text);
  } finally {
    rmSync(out, { recursive: true });
  }
}

if (import.meta.main) main();
