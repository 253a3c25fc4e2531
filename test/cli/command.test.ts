import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { folder, kubeconfig, startServer } from '../kubernetes/fake-server.ts';
import { startApi } from '../session/fixture.ts';
import { type Ended, type Options, type Packed, pack, runCommand } from './packed.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(read('docs/report.schema.json')));
const { version } = JSON.parse(read('package.json')) as { version: string };
const ESCAPE = String.fromCharCode(0x1b);

let packed: Packed;
beforeAll(async () => {
  packed = await pack();
}, 120_000);
afterAll(() => packed.remove());

const run = (args: readonly string[], options?: Options) => runCommand(packed.bin, args, options);

/** Standard output is the report and nothing else. */
function report({ stdout }: Ended): Record<string, unknown> {
  const value = JSON.parse(stdout) as Record<string, unknown>;
  expect(validate(value) ? [] : validate.errors).toEqual([]);
  return value;
}

async function access(url: string, user: object = {}): Promise<string> {
  return join(await folder({ config: kubeconfig(url, user) }), 'config');
}

describe('the package', () => {
  test('holds the launcher, the bundle and what npm adds, and needs no other package', () => {
    const names = readdirSync(packed.folder, { recursive: true, encoding: 'utf8' }).sort();
    const expected =
      /^(bin(\/consul-deploy\.js)?|dist(\/((\d+\.)?index\.js|licenses\.txt|package\.json))?|package\.json|README\.md|LICENSE)$/;
    expect(names.filter((name) => !expected.test(name))).toEqual([]);
    const of = JSON.parse(readFileSync(join(packed.folder, 'package.json'), 'utf8'));
    expect(of).toMatchObject({ name: 'consul-deploy', version, engines: { node: '>=24' } });
    expect(Object.keys(of).filter((key) => /dependencies|scripts/i.test(key))).toEqual([]);
  });

  test('says which Node.js it needs where it has another', async () => {
    const older = join(await folder({}), 'package');
    await cp(packed.folder, older, { recursive: true });
    const itself = JSON.parse(await readFile(join(older, 'package.json'), 'utf8'));
    await writeFile(join(older, 'package.json'), JSON.stringify({ ...itself, engines: { node: '>=99' } }));
    const { code, stdout, stderr } = await runCommand(join(older, 'bin/consul-deploy.js'), ['--version']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`needs Node.js 99 or later, and this is ${process.version}`);
  });
});

describe('without a run', () => {
  test.each([
    [['--version'], `consul-deploy ${version}\n`],
    [['--help'], 'Usage: consul-deploy MODE'],
    [['-h'], 'Usage: consul-deploy MODE'],
    [['verify', '--help'], 'Usage: consul-deploy verify'],
    [['help'], 'Usage: consul-deploy MODE'],
    [['help', 'verify'], 'Usage: consul-deploy verify'],
    [['version'], `consul-deploy ${version}\n`],
    [['completion', 'fish'], 'complete -c consul-deploy'],
  ])('%j answers on standard output and exits with 0', async (args, words) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(words);
  });

  test.each([
    [[], 'Usage: consul-deploy MODE'],
    [['completion', 'csh'], 'completion: given "csh"; allowed: bash, zsh, fish'],
  ])('%j is told what there is on standard error, and exits with 2', async (args, words) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  });
});

describe('render, which needs no cluster', () => {
  test('takes inputs from flags, environment and file, in this order', async () => {
    const { code, stdout, workspace } = await run(
      ['render', '--file', 'inputs.yml', '--namespace', 'of-flag', '--set', 'clients=none'],
      {
        env: {
          CONSUL_DEPLOY_NAMESPACE: 'of-environment',
          CONSUL_DEPLOY_NAME: 'env',
          CONSUL_DEPLOY_CONTEXT: '',
        },
        files: {
          'inputs.yml': 'namespace: of-file\nname: file\nservers: 5\nserver-config: {log_level: debug}\n',
        },
      },
    );
    expect(code, stdout).toBe(0);
    const yaml = await readFile(join(workspace, 'consul-manifests.yaml'), 'utf8');
    const documents = parseAllDocuments(yaml);
    const objects = Array.isArray(documents) ? documents.map((one) => one.toJS()) : [];
    const servers = objects.find(({ kind }) => kind === 'StatefulSet');
    expect(servers).toMatchObject({
      metadata: { name: 'env-server', namespace: 'of-flag' },
      spec: { replicas: 5 },
    });
    expect(objects.filter(({ kind }) => kind === 'StatefulSet')).toHaveLength(1);
    expect(yaml).toContain('log_level');
  });

  test('takes inputs from standard input', async () => {
    const { code, stderr } = await run(['--file=-', '--json'], { stdin: 'mode: render\nnamspace: x\n' });
    expect(code).toBe(2);
    expect(stderr).toContain('--file: "namspace": there is no such input; did you mean `namespace`?');
  });

  test('--json prints the report alone, and the log on standard error', async () => {
    const ended = await run(['render', '--json']);
    expect(ended.code, ended.stderr).toBe(0);
    expect(report(ended)).toMatchObject({ mode: 'render', result: 'success' });
    expect(ended.stderr).toContain('✓ Manifests rendered');
  });

  test('--outputs writes the outputs as lines for other jobs, and the reports go where they should', async () => {
    const { code, stdout, workspace } = await run([
      ...['render', '--outputs', 'out/outputs.env'],
      ...['--report-path', 'report.json', '--junit-path', 'junit.xml'],
    ]);
    expect(code, stdout).toBe(0);
    const lines = (await readFile(join(workspace, 'out/outputs.env'), 'utf8')).trimEnd().split('\n');
    const { outputs } = parse(read('action.yml')) as { outputs: object };
    expect(lines.map((line) => line.slice(0, line.indexOf('=')))).toEqual(
      Object.keys(outputs).map((name) => `CONSUL_OUTPUT_${name.toUpperCase().replace(/-/g, '_')}`),
    );
    expect(lines).toContain('CONSUL_OUTPUT_RESULT=success');
    expect(lines).toContain(`CONSUL_OUTPUT_REPORT=${join(workspace, 'report.json')}`);
    expect(await readFile(join(workspace, 'junit.xml'), 'utf8')).toContain('<testsuite');
  });

  test('a reader that goes away does not end it', async () => {
    const { code, workspace } = await run(['render'], { onStart: (child) => void child.stdout?.destroy() });
    expect(code).toBe(0);
    expect(await readFile(join(workspace, 'consul-manifests.yaml'), 'utf8')).toContain('StatefulSet');
  });

  test('in a job of GitHub it speaks to the runner, and the report stays alone', async () => {
    const files = { output: '', summary: '' };
    const workspace = await folder(files);
    const env = {
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: join(workspace, 'output'),
      GITHUB_STEP_SUMMARY: join(workspace, 'summary'),
      CONSUL_DEPLOY_SNAPSHOT_KEY: 'correct-horse-battery',
    };
    const ended = await run(['render', '--json'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(report(ended)).toMatchObject({ result: 'success' });
    expect(ended.stderr).toContain('::group::Render the manifests');
    expect(ended.stderr).toContain('::add-mask::correct-horse-battery');
    expect(await readFile(env.GITHUB_OUTPUT, 'utf8')).toContain('manifest-digest<<');
    expect(await readFile(env.GITHUB_STEP_SUMMARY, 'utf8')).toContain('Manifests rendered');
  });
});

test('the Task of Tekton has the results of the run, and its exit code', async () => {
  const { spec } = parse(read('examples/other-ci/tekton-task.yaml'));
  const workspace = await folder({});
  await mkdir(join(workspace, 'bin'));
  await symlink(packed.bin, join(workspace, 'bin/consul-deploy'));
  const script = (spec.steps[0].script as string)
    .replaceAll('/tmp/', `${workspace}/`)
    .replace(/\$\(results\.([a-z-]+)\.path\)/g, (_, name) => join(workspace, name));
  const task = (mode: string) =>
    spawnSync('sh', ['-c', script], {
      cwd: workspace,
      encoding: 'utf8',
      env: {
        PATH: `${join(workspace, 'bin')}:${process.env.PATH}`,
        HOME: workspace,
        CONSUL_DEPLOY_MODE: mode,
        CONSUL_DEPLOY_NAMESPACE: 'consul',
        CONSUL_DEPLOY_EXPECT_PLAN: '',
      },
    });
  const results = () =>
    Promise.all(
      ['result', 'failure-reason', 'plan-digest'].map((name) => readFile(join(workspace, name), 'utf8')),
    );
  const green = task('render');
  expect([green.status, green.stderr]).toEqual([0, '']);
  expect(await results()).toEqual(['success', '', '']);
  expect(task('rendr').status).toBe(2);
  expect(await results()).toEqual(['failure', 'invalid-input', '']);
});

describe('wrong inputs', () => {
  const ARGS = [
    'verfy',
    '--namspace=x',
    '--servers',
    '2',
    '--set',
    'timeot=1s',
    '--file',
    'none.yml',
    'again',
  ];

  test('are told all at once, before anything else, and exit with 2', async () => {
    const options = { env: { CONSUL_DEPLOY_EXPECT_CLUSTERS: '*staging*' } };
    const { code, stdout, stderr } = await run(ARGS, options);
    expect([code, stderr]).toEqual([2, '']);
    for (const words of [
      '7 mistakes in the inputs',
      'mode: given "verfy"; allowed: ',
      'did you mean `verify`?',
      '--namspace: there is no such flag; did you mean `--namespace`?',
      'servers: given "2"; allowed: 1, 3 or 5',
      '--set: "timeot": there is no such input; did you mean `timeout`?',
      '--file: there is no file "none.yml"',
      '"again": there is a mode already',
      'CONSUL_DEPLOY_EXPECT_CLUSTERS: there is no such input; did you mean `CONSUL_DEPLOY_EXPECT_CLUSTER`?',
      'as a flag, in the environment or in the file',
    ])
      expect(stdout).toContain(words);
    expect(stdout).not.toMatch(/::|%0A|with:/);
  });

  test('are in the report as well', async () => {
    const ended = await run([...ARGS, '--json']);
    expect(ended.code).toBe(2);
    const { failure } = report(ended) as { failure: { reason: string; details: string[] } };
    expect(failure.reason).toBe('invalid-input');
    expect(failure.details).toHaveLength(6);
  });

  test('nothing is deployed where no mode was said', async () => {
    const { code, stdout } = await run(['--namespace', 'consul']);
    expect(code).toBe(2);
    expect(stdout).toContain('mode: given nothing; allowed: deploy, plan, ');
  });

  test('a secret as a flag is refused, and not shown', async () => {
    const secret = 'correct-horse-battery';
    const { code, stdout, stderr } = await run(['render', '--snapshot-key', secret]);
    expect([code, stderr]).toEqual([2, '']);
    expect(stdout).toContain('the environment variable CONSUL_DEPLOY_SNAPSHOT_KEY');
    expect(stdout).not.toContain(secret);
  });

  test('the file for outputs is not one that cannot be written', async () => {
    const { code, stdout } = await run(['render', '--outputs', '.']);
    expect(code).toBe(2);
    expect(stdout).toContain('--outputs: given "."; allowed: a file, not a directory');
  });
});

describe('a cluster', () => {
  test('that is not there makes the run red in seconds, with the cure, and exit with 1', async () => {
    const { url, stop } = await startServer(() => undefined);
    await stop();
    const { code, stdout, stderr } = await run(['deploy', '--kubeconfig', await access(url)]);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toContain('✗ Consul is not proven');
    expect(stdout).toContain('Nothing listens there. Check the address in the kubeconfig');
    expect(stdout).not.toMatch(/^::|%0A/m);
  });

  test('that repeats a secret: neither log nor report have it', async () => {
    const token = 'a-token-of-twenty-letters';
    const { url } = await startServer((_, response) => {
      const answer = {
        kind: 'Status',
        status: 'Failure',
        code: 403,
        reason: 'Forbidden',
        message: `not ${token}`,
      };
      response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    const kubeconfigPath = await access(url, { token });
    const args = ['deploy', '--kubeconfig', kubeconfigPath, '--log-level=debug', '--outputs', 'o.env'];
    const ended = await run([...args, '--json', '--junit-path=junit.xml']);
    expect(ended.code, ended.stderr).toBe(1);
    const files = await Promise.all(
      ['o.env', 'junit.xml'].map((name) => readFile(join(ended.workspace, name), 'utf8')),
    );
    const all = [ended.stdout, ended.stderr, ...files].join('\n');
    expect(all).toContain('***');
    expect(all).not.toContain(token);
  });
});

describe('a run that is ended from outside while it holds the lock', () => {
  const TOKEN = 'a-token-of-twenty-letters';
  /** A library that throws where nobody catches it, with a secret in its message. */
  const CRASH = `process.on('SIGUSR2', () => { throw new Error('it broke with ${TOKEN}'); });`;

  /** Held at its first dry run, which is never answered; where it is impatient, so is the lock that is given back. */
  async function held(signals: readonly NodeJS.Signals[], { impatient = false } = {}) {
    let child: { kill: (signal: NodeJS.Signals) => void } | undefined;
    let again: NodeJS.Timeout | undefined;
    const end = () => {
      for (const signal of signals) child?.kill(signal);
    };
    const api = await startApi({}, ({ query, method, path }) => {
      if (query.get('dryRun') !== 'All') return impatient && method === 'PUT' && path.includes('/leases/');
      end();
      if (impatient) again ??= setInterval(end, 300);
      return true;
    });
    const crash = `data:text/javascript,${encodeURIComponent(CRASH)}`;
    const ended = await run(['deploy', '--kubeconfig', await access(api.url, { token: TOKEN })], {
      env: { NODE_OPTIONS: `--import=${crash}` },
      onStart: (started) => {
        child = started;
      },
    });
    clearInterval(again);
    const leases = api.calls.filter(({ method, path }) => method !== 'GET' && path.includes('/leases'));
    return { ended, leases };
  }

  test.each<[string, NodeJS.Signals[], string]>([
    ['SIGTERM', ['SIGTERM'], 'the run was cancelled (SIGTERM)'],
    ['a terminal that is closed', ['SIGHUP'], 'the run was cancelled (SIGHUP)'],
    ['Ctrl-C, which npx sends once more', ['SIGINT', 'SIGINT'], 'Cancelled in phase'],
    ['a defect', ['SIGUSR2'], 'it broke with ***'],
  ])('%s: the lock is given back, and the report is there', async (_, signals, words) => {
    const { ended, leases } = await held(signals);
    const printed = ended.stdout + ended.stderr;
    expect(ended.code, printed).toBe(1);
    expect(printed).toContain(words);
    expect(printed).toContain('Left as');
    expect(printed).not.toContain(TOKEN);
    expect(leases.map(({ method }) => method)).toEqual(['POST', 'PUT']);
    const [taken, given] = leases.map(({ body }) => JSON.parse(body).spec.holderIdentity ?? '');
    expect(taken).toMatch(/ pid \d+ [0-9a-f]{8}$/);
    expect(given).toBe('');
  });

  test('Ctrl-C a second time ends it at once, whatever does not answer', async () => {
    const { ended } = await held(['SIGINT'], { impatient: true });
    expect(ended.code, ended.stdout).toBe(130);
    expect(ended.stdout).toContain('Ended at once: the lock expires within a minute');
    expect(ended.stdout).not.toContain('Left as');
  });
});

describe('on a terminal', () => {
  test('the log is in colours', async () => {
    const { code, stdout } = await run(['render'], { terminal: true });
    expect(code, stdout).toBe(0);
    expect(stdout).toContain(`${ESCAPE}[32m`);
    expect(stdout).toMatch(/✓ Manifests rendered/);
  });

  test.each([
    ['--no-color', ['--no-color'], {}],
    ['NO_COLOR', [], { NO_COLOR: '1', TERM: 'dumb' }],
  ])('%s takes them away', async (_, args, env) => {
    const { code, stdout } = await run(['render', ...args], { terminal: true, env });
    expect(code, stdout).toBe(0);
    expect(stdout).toContain('✓ Manifests rendered');
    expect(stdout).not.toContain(ESCAPE);
  });

  test('the last line says what is waited for, and Ctrl-C ends the run', async () => {
    const { url } = await startServer(() => undefined);
    const kubeconfigPath = await access(url, { token: 'a-token-of-twenty-letters' });
    let told = false;
    const { code, stdout } = await run(['deploy', '--kubeconfig', kubeconfigPath], {
      terminal: true,
      onOutput: (printed, child) => {
        if (told || !printed.includes('… Connect and check the cluster')) return;
        told = true;
        child.stdin?.write('\x03');
      },
    });
    expect(code, stdout).toBe(1);
    expect(stdout).toContain('Ctrl-C once more ends it at once');
    expect(stdout).toContain('■ ');
    expect(stdout).toContain('Left as');
    // Erased before each line: nothing of it is left beside the last one.
    const lines = stdout.split('\r\n').map((line) => line.split(`${ESCAPE}[2K`).at(-1) ?? '');
    expect(lines.filter((line) => line.includes('… Connect'))).toEqual([]);
  });

  test('and elsewhere the log is plain, unless FORCE_COLOR says otherwise', async () => {
    expect((await run(['render'])).stdout).not.toContain(ESCAPE);
    expect((await run(['render'], { env: { FORCE_COLOR: '1' } })).stdout).toContain(`${ESCAPE}[32m`);
  });
});
