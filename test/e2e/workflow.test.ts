import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { isReady, kubectlJson, namespaceName, pods, removeNamespace } from './cluster.ts';

const run = promisify(execFile);
const EXAMPLE = '.github/workflows/deploy-on-push.yml';

interface Step {
  name?: string;
  id?: string;
  uses?: string;
  run?: string;
  with?: Record<string, string>;
}

interface Workflow {
  jobs: Record<string, { steps: Step[] }>;
}

/**
 * The example from the README, with `uses: ./` as in the action's own repository, and a step that takes what the
 * action says. Steps that keep files on GitHub are left out: act would have to fetch them.
 */
function workflow(namespace: string): string {
  const example = parse(readFileSync('examples/deploy-on-push.yml', 'utf8')) as Workflow;
  const job = example.jobs.deploy;
  const ours = job?.steps.find(({ uses }) => uses?.startsWith('org/consul-deploy@'));
  if (!job || !ours) throw new Error('the example does not use the action');
  const short = { namespace, 'client-replicas': '2', 'stable-for': '2s', 'server-storage': 'ephemeral' };
  const { outputs } = parse(readFileSync('action.yml', 'utf8')) as { outputs: Record<string, unknown> };
  const told = Object.keys(outputs).map((name) => `${name}=\${{ steps.consul.outputs.${name} }}`);
  job.steps = [
    // act knows this one and copies the working folder instead of fetching anything.
    { uses: 'actions/checkout@v7' },
    { ...ours, id: 'consul', uses: './', with: { ...ours.with, ...short } },
    {
      name: 'A later step',
      run: [
        'cat >"$WITNESS/outputs" <<\'OUTPUTS\'',
        ...told,
        'OUTPUTS',
        `cp "$(sed -n 's/^report=//p' "$WITNESS/outputs")" "$WITNESS/report.json"`,
      ].join('\n'),
    },
  ];
  return stringify(example);
}

/** One line of base64, whose context meets the `expect-cluster` of the example. */
async function productionKubeconfig(): Promise<string> {
  const raw = await kubectlJson<{ contexts: { name: string }[]; 'current-context': string }>(
    'config',
    'view',
    '--raw',
    '--minify',
    '--flatten',
  );
  const [context] = raw.contexts;
  if (context) context.name = 'production';
  return Buffer.from(JSON.stringify({ ...raw, 'current-context': 'production' })).toString('base64');
}

describe('the example workflow, run by act', () => {
  const namespace = namespaceName('workflow');
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-workflow-'));
  const [repository, witness, home] = ['repository', 'witness', 'home'].map((name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  }) as [string, string, string];
  /** What was asked of the network, apart from the cluster. */
  const asked: string[] = [];
  let proxy: Server;
  let kubeconfig: string;
  let log = '';

  beforeAll(async () => {
    proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(403).end();
    });
    proxy.on('connect', ({ url }, socket) => {
      asked.push(`CONNECT ${url}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));

    // What a checkout of the action's repository has that the runner looks at.
    for (const path of ['action.yml', 'dist']) cpSync(path, join(repository, path), { recursive: true });
    mkdirSync(dirname(join(repository, EXAMPLE)), { recursive: true });
    writeFileSync(join(repository, EXAMPLE), workflow(namespace));
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.org', ...args], { cwd: repository });
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', '--all');
    await git('commit', '--quiet', '--message=The action');
    kubeconfig = await productionKubeconfig();
    writeFileSync(join(folder, 'secrets'), `KUBECONFIG_BASE64=${kubeconfig}\n`, { mode: 0o600 });
  });
  afterAll(async () => {
    proxy.close();
    rmSync(folder, { recursive: true, force: true });
    await removeNamespace(namespace);
  });

  function told(): Record<string, string> {
    const lines = readFileSync(join(witness, 'outputs'), 'utf8').trimEnd().split('\n');
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  it('is green, and nothing but the cluster was asked for anything', async () => {
    const { stdout: act } = await run('testbed/build', ['act'], { maxBuffer: 1 << 24 });
    const nowhere = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const cluster = new URL(
      (parse(Buffer.from(kubeconfig, 'base64').toString()) as { clusters: { cluster: { server: string } }[] })
        .clusters[0]?.cluster.server ?? '',
    );
    const { KUBECONFIG: _, ...environment } = process.env;
    const outcome = await run(
      act.trim(),
      [
        'push',
        '--platform=ubuntu-latest=-self-hosted',
        '--no-cache-server',
        `--workflows=${EXAMPLE}`,
        `--secret-file=${join(folder, 'secrets')}`,
        `--env=WITNESS=${witness}`,
      ],
      {
        cwd: repository,
        maxBuffer: 1 << 26,
        env: {
          ...environment,
          // Node 24 first, as with `using: node24` on a runner.
          PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
          HOME: home,
          // act asks its makers for news otherwise.
          ACT_DISABLE_VERSION_CHECK: '1',
          XDG_CACHE_HOME: join(home, 'cache'),
          HTTP_PROXY: nowhere,
          HTTPS_PROXY: nowhere,
          http_proxy: nowhere,
          https_proxy: nowhere,
          NO_PROXY: cluster.hostname,
          no_proxy: cluster.hostname,
        },
      },
    ).catch((error: { stdout?: string; stderr?: string }) => {
      throw new Error(`act failed:\n${error.stdout}\n${error.stderr}`);
    });
    log = outcome.stdout + outcome.stderr;
    expect(log).toContain('Job succeeded');
    expect(asked).toEqual([]);
    // A fetched action would be a folder of its own here, named after its repository.
    const fetched = readdirSync(join(home, 'cache', 'act')).filter((name) => /actions|upload|@/.test(name));
    expect(fetched).toEqual([]);
    expect((await pods(namespace)).filter(isReady)).toHaveLength(5);
  });

  it('hands the outputs to a later step', () => {
    const outputs = told();
    const { outputs: declared } = parse(readFileSync('action.yml', 'utf8')) as { outputs: object };
    expect(Object.keys(outputs)).toEqual(Object.keys(declared));
    expect(outputs).toMatchObject({
      result: 'success',
      'failure-reason': '',
      changed: 'true',
      voters: '3',
      'clients-ready': '2',
      'clients-desired': '2',
      'consul-version': '1.22.7',
      leader: expect.stringMatching(/^consul-server-[012]$/),
    });
    expect(outputs['manifest-digest']).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(Number(outputs['duration-ms'])).toBeGreaterThan(0);
  });

  it('has written the summary and the report', () => {
    // act takes the file away after the step and shows what is in it.
    expect(log).toMatch(/Summary - ## .*Consul works: 3 voters, 2 clients/);
    expect(log).toContain('```mermaid');
    expect(JSON.parse(readFileSync(join(witness, 'report.json'), 'utf8'))).toMatchObject({
      result: 'success',
      namespace,
    });
  });

  it('has run the post step, and shown the kubeconfig to nobody', () => {
    expect(log).toMatch(/Success - Post \.\//);
    expect(log).not.toContain(kubeconfig);
  });
});
