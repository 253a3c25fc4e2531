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
    const last = steps.at(-1)?.run ?? '';
    const gh = `gh() { printf '%s\\n' "$*"; }\n`;
    const { stdout } = spawnSync('bash', ['--norc', '-e', '-c', gh + last], {
      env: { PATH: process.env.PATH, VERSION: '1.2.3', RUNNER_TEMP: '/t' },
      encoding: 'utf8',
    });
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual([
      'release upload v1.2.3 /t/consul-deploy-1.2.3.tgz /t/consul-deploy-1.2.3.cdx.json --clobber',
      'release edit v1.2.3 --draft=false',
    ]);
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
