import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../src/config/parse.ts';
import { given } from './config/given.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Workflow {
  permissions: object;
  jobs: Record<string, { steps: Step[] }>;
}

const stepsOf = (workflow: string) =>
  Object.values((parse(workflow) as Workflow).jobs).flatMap(({ steps }) => steps);
const oursOf = (workflow: string) =>
  stepsOf(workflow).filter(({ uses }) => uses?.startsWith('org/consul-deploy@'));

const KUBECONFIG = Buffer.from('clusters: []').toString('base64');
/** What stands for an expression of GitHub: its value is known only there. */
const STAND_IN: Record<string, string> = {
  'secrets.KUBECONFIG_BASE64': KUBECONFIG,
  'secrets.SOURCE_KUBECONFIG_BASE64': KUBECONFIG,
  'secrets.TARGET_KUBECONFIG_BASE64': KUBECONFIG,
  'secrets.SNAPSHOT_PASSPHRASE': 'a passphrase of the test',
  'steps.snapshot.outputs.snapshot': 'consul-consul.snap.age',
  'vars.SNAPSHOT_RECIPIENT': 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  'runner.temp': '.',
  'inputs.image': 'hashicorp/consul:1.22.7',
  'needs.staging.outputs.image': 'hashicorp/consul:1.22.7',
  'needs.plan.outputs.digest': `sha256:${'0'.repeat(64)}`,
  'github.event.number': '7',
  'env.NAMESPACE': 'consul',
  'inputs.deregister': '',
  'inputs.apply || false': 'false',
  'matrix.cluster': 'staging-fra',
  'matrix.datacenter': 'fra',
  'matrix.servers': '3',
};

function inputsOf(step: Step): Record<string, string> {
  return Object.fromEntries(
    Object.entries(step.with ?? {}).map(([name, value]) => [
      name,
      String(value).replace(/\$\{\{ (.*?) \}\}/g, (all, expression: string) => {
        const value = STAND_IN[expression];
        if (value === undefined) throw new Error(`nothing stands for ${all}`);
        return value;
      }),
    ]),
  );
}

/** Those of GitHub; test/cli reads those of other systems. */
const examples = readdirSync(new URL('../examples', import.meta.url)).filter((name) => name.endsWith('.yml'));

describe.each(examples)('%s', (file) => {
  test('gives the action inputs that it takes', () => {
    const steps = oursOf(read(`examples/${file}`));
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps)
      expect(parseConfig(given(inputsOf(step)))).toMatchObject({ mode: step.with?.mode ?? 'deploy' });
  });
});

const TRY = read('examples/try-on-kind.yml');
/** The first thing that README has to paste. */
const [, FIRST = ''] = /```yaml\n([\s\S]*?)```/.exec(read('README.md')) ?? [];

describe.each([
  ['examples/try-on-kind.yml', TRY],
  ['the first workflow of README.md', FIRST],
])('%s', (_, workflow) => {
  test('needs no secret, no permission and no cluster', () => {
    expect(workflow).not.toMatch(/\bsecrets\b|github\.token/);
    expect((parse(workflow) as Workflow).permissions).toEqual({});
    for (const step of oursOf(workflow)) expect(step.with).not.toHaveProperty('kubeconfig');
  });

  test('deploys, and then verifies', () => {
    const modes = oursOf(workflow).map((step) => parseConfig(given(inputsOf(step))).mode);
    expect(modes).toEqual(['deploy', 'verify']);
  });

  test('makes the cluster that CI and the demo make, by the same kind', () => {
    const [, version] = workflow.match(/version: (v[0-9.]+)/) ?? [];
    expect(read('script/kind')).toContain(`\nVERSION=${version}\n`);
    // That of kind itself, which script/kind names in full.
    expect(workflow).not.toMatch(/node_image:/);
  });

  test('its shell makes a cluster like that of CI, and says where it is', () => {
    const script = stepsOf(workflow).find(({ run }) => run?.includes('kind.yaml'))?.run ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'try-on-kind-'));
    try {
      writeFileSync(join(folder, 'env'), '');
      const env = { ...process.env, HOME: '/home/runner', GITHUB_ENV: join(folder, 'env') };
      // As a runner starts it.
      execFileSync('bash', ['--norc', '-e', '-c', script], { cwd: folder, env });
      const made = readFileSync(join(folder, 'kind.yaml'), 'utf8');
      expect(parse(made)).toEqual(parse(read('.github/kind.yaml')));
      expect(readFileSync(join(folder, 'env'), 'utf8')).toBe('KUBECONFIG=/home/runner/.kube/config\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('names the cluster that kind makes', () => {
    const cluster = stepsOf(workflow).find(({ uses }) => uses?.startsWith('helm/kind-action@'))?.with
      ?.cluster_name;
    for (const step of oursOf(workflow))
      expect(step.with).toMatchObject({ 'expect-cluster': `kind-${cluster}` });
  });
});

test('the first workflow of README.md is the example, without its comments', () => {
  expect(FIRST).not.toBe('');
  expect(parse(FIRST)).toEqual(parse(TRY));
});

test('the pages of both runs are kept, of a red run too', () => {
  const last = stepsOf(TRY).at(-1);
  expect(last?.uses).toMatch(/^actions\/upload-artifact@/);
  expect(last).toMatchObject({ if: `\${{ !cancelled() }}`, with: { path: '*.html' } });
  expect(oursOf(TRY).map((step) => step.with?.['report-html'])).toEqual(['deploy.html', 'verify.html']);
});

test('README.md has something to paste in its first 40 lines, and less than 200 lines in all', () => {
  const lines = read('README.md').split('\n');
  expect(lines.slice(0, 40).join('\n')).toContain(`\`\`\`yaml\n${FIRST}\`\`\``);
  expect(lines.length).toBeLessThan(200);
});
