import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PASTED, pinned } from '../script/pin.ts';
import { VERSION } from '../src/session/version.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const COMMIT = '5c1f2b0c9d7e4a3f8b6a1d2e3c4f506172839405';

/** What stands behind `uses: org/consul-deploy@`, to the end of the line. */
const uses = (text: string) =>
  [...text.matchAll(/\buses: org\/consul-deploy@(.*)$/gm)].map(([, use = '']) => use);

const BY_COMMIT = /^[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
const pasted = globSync(PASTED, { cwd: ROOT })
  .sort()
  .map((file) => ({ file, of: uses(read(file)) }))
  .filter(({ of }) => of.length > 0);

describe('what is pasted names a full version, or its commit', () => {
  test.each(pasted)('$file', ({ file, of }) => {
    for (const use of of.filter((use) => !BY_COMMIT.test(use))) {
      expect([
        `v${VERSION}`,
        `v${VERSION} # better: the commit of v${VERSION}, see ${file === 'README.md' ? 'below' : 'README'}`,
      ]).toContain(use);
    }
  });

  test('and of other actions the commit', () => {
    const others = globSync(PASTED, { cwd: ROOT }).flatMap((file) =>
      [...read(file).matchAll(/^[ -]*uses: (?!org\/consul-deploy@|\.\/)(.*)$/gm)].map(([, use]) => ({
        file,
        use,
      })),
    );
    expect(others.length).toBeGreaterThan(8);
    for (const { file, use } of others) expect(use, file).toMatch(/^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('and there is much of it', () => {
    expect(pasted.flatMap(({ of }) => of).length).toBeGreaterThan(20);
  });

  test('where README.md gives it a secret, by commit, or with a word that this is better', () => {
    const [first = '', ...others] = read('README.md').split(/^```$/m);
    expect(first).not.toContain('secrets.');
    expect(uses(first)).toHaveLength(2);
    expect(others.flatMap(uses)).not.toEqual([]);
    for (const use of others.flatMap(uses)) expect(use).toMatch(/ # (?:v[\d.]+|better: the commit of .*)$/);
  });
});

test('README.md says how to find the commit of this version', () => {
  const command = `gh api repos/org/consul-deploy/commits/v${VERSION} --jq '"org/consul-deploy@\\(.sha) # v${VERSION}"'`;
  expect(read('README.md')).toContain(command);
});

describe('script/pin.ts', () => {
  test('pins all that is pasted', () => {
    for (const { file } of pasted) {
      const after = pinned(read(file), '1.2.3', COMMIT);
      expect(uses(after), file).toEqual(uses(read(file)).map(() => `${COMMIT} # v1.2.3`));
      expect(pinned(after, '1.2.3', COMMIT)).toBe(after);
    }
  });

  test('and nothing else', () => {
    const other =
      '- uses: actions/checkout@v7\n`org/consul-deploy@v0.1.0`\n- uses: org/consul-deploy-fork@v0.1.0\n';
    expect(pinned(other, '1.2.3', COMMIT)).toBe(other);
  });
});

describe('the release workflow', () => {
  const { jobs } = parse(read('.github/workflows/release.yml'));
  const script: string = jobs.major.steps.at(-1).run;

  /** What it asks of gh, which here has these releases. */
  function asked(version: string, releases: string[], of = COMMIT) {
    const folder = mkdtempSync(join(tmpdir(), 'release-'));
    try {
      const gh = join(folder, 'gh');
      const list = releases.map((release) => `echo ${release}`).join('; ');
      writeFileSync(
        gh,
        `#!/bin/sh\ncase "$*" in
          release*) ${list} ;;
          "api repos/org/consul-deploy/commits/tags/v${version} --jq .sha") echo ${of} ;;
          *) echo "$*" >>"${folder}/asked" ;;
        esac\n`,
      );
      chmodSync(gh, 0o755);
      writeFileSync(join(folder, 'asked'), '');
      const env = {
        PATH: `${folder}${delimiter}${process.env.PATH}`,
        VERSION: version,
        GITHUB_REPOSITORY: 'org/consul-deploy',
        GITHUB_SHA: COMMIT,
      };
      const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-e', '-c', script], {
        env,
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      const lines = readFileSync(join(folder, 'asked'), 'utf8').split('\n');
      return { status, stdout, asked: lines.filter((line) => line !== '') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  const move = (tag: string) => [
    `api --method PATCH repos/org/consul-deploy/git/refs/tags/${tag} -f sha=${COMMIT} -F force=true`,
  ];

  test.each([
    ['0.1.0', ['v0.1.0'], move('v0')],
    ['1.2.0', ['v1.2.0', 'v1.1.9', 'v0.9.0'], move('v1')],
    ['1.10.0', ['v1.9.0', 'v1.10.0', 'v2.0.0'], move('v1')],
    ['1.9.1', ['v1.9.1', 'v1.10.0'], []],
    ['1.2.0', ['v1.2.0', 'v10.0.0'], move('v1')],
  ])('%s among %j moves the plain tag of its major version: %j', (version, releases, expected) => {
    expect(asked(version, releases)).toMatchObject({ status: 0, asked: expected });
  });

  test('moves nothing where the tag of the release is another commit', () => {
    const other = '0'.repeat(40);
    const { status, stdout, asked: moved } = asked('1.2.0', ['v1.2.0'], other);
    expect([status, moved]).toEqual([1, []]);
    expect(stdout).toContain(`::error title=Another commit::v1.2.0 is ${other}, and not ${COMMIT}`);
  });

  test('moves it last, after the deploy from the tag of the release', () => {
    expect(jobs.major.needs).toBe('canary');
    expect(jobs.canary.needs).toBe('publish');
    expect(jobs.major.if).toBeUndefined();
  });
});
