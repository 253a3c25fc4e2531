import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const workflow = (name: string) => parse(readFileSync(join(ROOT, `.github/workflows/${name}.yml`), 'utf8'));

const expression = (what: string) => `\${{ ${what} }}`;

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  with?: Record<string, string>;
}

const { publish } = workflow('release').jobs;
const steps: Step[] = publish.steps;
const at = (what: RegExp) =>
  steps.findIndex(({ name = '', uses = '' }) => what.test(name) || what.test(uses));

describe('a release publishes dist/ only if it is what was built', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'release-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const path of ['dist', 'script/dist-digest'])
      cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  });

  const run = (script: string, env: Record<string, string>) =>
    spawnSync('bash', ['--norc', '-e', '-c', script], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    });

  /** What the job that builds it says of dist/ as it is now. */
  function built(): string {
    const { steps, outputs } = workflow('check-dist').jobs.rebuild;
    const { run: script } = steps.find(({ id }: { id?: string }) => id === 'digest');
    expect(outputs).toEqual({ digest: expression('steps.digest.outputs.digest') });
    const output = join(folder, 'output');
    const { status, stderr } = run(script, { GITHUB_OUTPUT: output });
    expect([status, stderr]).toEqual([0, '']);
    const [, digest = ''] = /^digest=([0-9a-f]{64})\n$/.exec(readFileSync(output, 'utf8')) ?? [];
    rmSync(output);
    return digest;
  }

  const compared = (BUILT: string) => run(steps[at(/^dist\/ is what/)]?.run ?? '', { BUILT }).status;

  test('the same files, at another time', () => expect(compared(built())).toBe(0));

  test.each<[string, (file: (name: string) => string) => void]>([
    ['a byte more', (file) => writeFileSync(file('index.js'), '\n', { flag: 'a' })],
    ['a file more', (file) => writeFileSync(file('more.js'), '')],
    ['a file less', (file) => rmSync(file('licenses.txt'))],
    ['a file of another name', (file) => renameSync(file('licenses.txt'), file('license.txt'))],
  ])('and not %s', (_, change) => {
    const digest = built();
    change((name) => join(folder, 'dist', name));
    expect(compared(digest)).toBe(1);
  });

  test('nor where nothing is known of a build', () => expect(compared('')).toBe(1));

  test('what was built comes to it from the job that has built it', () => {
    expect(workflow('check-dist').on.workflow_call.outputs.digest.value).toBe(
      expression('jobs.rebuild.outputs.digest'),
    );
    expect(workflow('ci').on.workflow_call.outputs['dist-digest'].value).toBe(
      expression('jobs.dist.outputs.digest'),
    );
    expect(workflow('ci').jobs.dist.uses).toBe('./.github/workflows/check-dist.yml');
    expect(publish.steps[at(/^dist\/ is what/)].env).toEqual({
      BUILT: expression('needs.ci.outputs.dist-digest'),
    });
    expect(publish.needs).toContain('ci');
  });
});

describe('the steps of a release', () => {
  test('compare, attest, and then publish', () => {
    const order = [/^dist\/ is what/, /^SBOM$/, /^Attest who/, /^Attest what/, /^Publish/].map(at);
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('attest all of dist/ and the package, and publish what they attest', () => {
    const attested = steps.filter(({ uses }) => uses?.startsWith('actions/attest@'));
    expect(attested).toHaveLength(2);
    for (const { with: inputs } of attested)
      expect(inputs?.['subject-path']?.trim().split('\n')).toEqual([
        'dist/**',
        `${expression('runner.temp')}/consul-deploy-*.tgz`,
      ]);
    const sbom = `/consul-deploy-${expression('inputs.version')}.cdx.json`;
    expect(attested.map(({ with: inputs }) => inputs?.['sbom-path'])).toEqual([
      undefined,
      `${expression('runner.temp')}${sbom}`,
    ]);
    expect(published()).toEqual({
      status: 0,
      said: '',
      calls: [
        ASK_TAGS,
        'release upload v1.2.3 /t/consul-deploy-1.2.3.tgz /t/consul-deploy-1.2.3.cdx.json --clobber',
        `release edit v1.2.3 --target ${COMMIT} --draft=false`,
        'api repos/org/consul-deploy/commits/tags/v1.2.3 --jq .sha',
      ],
    });
  });
});

const COMMIT = 'c'.repeat(40);
const OTHER = 'd'.repeat(40);
const ASK_TAGS =
  'api repos/org/consul-deploy/git/matching-refs/tags/v1.2.3 --jq .[] | select(.ref == "refs/tags/v1.2.3") | .object.sha';

interface Repository {
  /** Tags that begin with that of the release, and their commits. */
  tags?: Record<string, string>;
  /** The commit that the tag of the release has once it is published. */
  tagged?: string;
  draft?: { isDraft: boolean; targetCommitish: string };
}

/** Runs a step of the release with a `gh` that answers for such a repository; what it says, and what it asks for. */
function acted(script: string, { tags = {}, tagged = COMMIT, draft }: Repository) {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const refs = Object.entries(tags).map(([tag, sha]) => ({ ref: `refs/tags/${tag}`, object: { sha } }));
  writeFileSync(join(folder, 'refs'), JSON.stringify(refs));
  writeFileSync(join(folder, 'draft'), draft ? JSON.stringify(draft) : '');
  writeFileSync(join(folder, 'package.json'), '{"version": "1.2.3"}');
  writeFileSync(join(folder, 'CHANGELOG.md'), '## 1.2.3\n');
  const gh = `gh() {
    echo "$*" >>calls
    case "$1 $2" in
      *matching-refs*) jq -r "$4" refs ;;
      *commits/tags/v1.2.3) jq -r "$4" <<<'{"sha": "${tagged}"}' ;;
      'release view') cat draft; test -s draft ;;
    esac
  }\n`;
  const { status, stdout } = spawnSync('bash', ['--norc', '-e', '-c', gh + script], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      VERSION: '1.2.3',
      RUNNER_TEMP: '/t',
      GITHUB_REPOSITORY: 'org/consul-deploy',
      GITHUB_SHA: COMMIT,
    },
    encoding: 'utf8',
  });
  const calls = readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');
  return { status, said: stdout, calls };
}

const published = (repository: Repository = {}) => acted(steps.at(-1)?.run ?? '', repository);

describe('the tag of a release is the commit that was tested and attested', () => {
  test('a draft whose tag somebody has made meanwhile is not published', () => {
    for (const commit of [COMMIT, OTHER]) {
      const { status, said, calls } = published({ tags: { 'v1.2.3': commit } });
      expect([status, calls]).toEqual([1, [ASK_TAGS]]);
      expect(said).toContain(`::error title=Not published::the tag v1.2.3 is there already, at ${commit}`);
    }
  });

  test('a longer tag is another one', () => expect(published({ tags: { 'v1.2.30': OTHER } }).status).toBe(0));

  test('it is red where the tag has become another commit, and so nothing is deployed from it', () => {
    const { status, said } = published({ tagged: OTHER });
    expect(status).toBe(1);
    expect(said).toContain(`::error title=Another commit::v1.2.3 is ${OTHER}, and not ${COMMIT}`);
    expect(workflow('release').jobs.canary).toMatchObject({ needs: 'publish' });
  });

  const draft = { isDraft: true, targetCommitish: COMMIT };
  const checked = (repository: Repository) =>
    acted(workflow('release').jobs.draft.steps.at(-1).run, repository);

  test('a draft of this commit may be tested', () =>
    expect(checked({ draft })).toMatchObject({ status: 0, said: '' }));

  test.each<[string, Repository]>([
    ['there is no draft v1.2.3', {}],
    ['v1.2.3 is already published', { draft: { ...draft, isDraft: false } }],
    [`the draft's target is not ${COMMIT}`, { draft: { ...draft, targetCommitish: 'main' } }],
    ['the tag v1.2.3 is there already', { draft, tags: { 'v1.2.3': COMMIT } }],
  ])('and not where %s', (why, repository) => {
    const { status, said } = checked(repository);
    expect(status).toBe(1);
    expect(said).toContain(`::error title=Not releasable::${why}`);
  });
});

describe('once a week', () => {
  const { on, jobs } = workflow('scheduled');

  test('main is deployed, and the last release by its tag', () => {
    expect(on.schedule).toHaveLength(1);
    const deployed = [jobs.main, jobs.release].map(({ uses, with: inputs }) => [uses, inputs?.ref]);
    expect(deployed).toEqual([
      ['./.github/workflows/e2e-kind.yml', undefined],
      ['./.github/workflows/e2e-kind.yml', expression('needs.last.outputs.tag')],
    ]);
  });

  test.each([
    ['the release that GitHub calls the latest', 'v1.2.3', 'tag=v1.2.3\n'],
    ['nothing before the first release', '', 'tag=\n'],
  ])('the last is %s', (_, listed, expected) => {
    const folder = mkdtempSync(join(tmpdir(), 'scheduled-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const output = join(folder, 'output');
    const { run } = jobs.last.steps[0];
    const gh = `gh() { if [ -n "${listed}" ]; then echo "${listed}"; fi; }\n`;
    const env = { PATH: process.env.PATH, GITHUB_OUTPUT: output, GITHUB_REPOSITORY: 'org/consul-deploy' };
    const { status } = spawnSync('bash', ['--norc', '-e', '-c', gh + run], { env, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(readFileSync(output, 'utf8')).toBe(expected);
    expect(jobs.release.if).toBe(expression("needs.last.outputs.tag != ''"));
  });
});
