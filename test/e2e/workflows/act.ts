import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { kubectlJson } from '../kubernetes/cluster.ts';

const run = promisify(execFile);
const WORKFLOWS = '.github/workflows';
/** The secret that snapshots are encrypted with. */
export const PASSPHRASE = 'a passphrase of the test';
/** What workflows know as `github.repository`. */
export const REPOSITORY = 'example/consul';

export interface Step {
  name?: string;
  id?: string;
  uses?: string;
  run?: string;
  with?: Record<string, string>;
}

export interface Job {
  steps: Step[];
}

interface Workflow {
  jobs: Record<string, Job>;
}

/** What an act run has said, and whether all jobs were green. */
export interface Acted {
  ok: boolean;
  log: string;
}

/**
 * An example as in the action's own repository: with `uses: ./`, and other inputs for each `job` or `job.step`. Steps that keep
 * files on GitHub are left out: act would have to fetch them.
 */
export function example(
  file: string,
  inputs: Record<string, Record<string, string>>,
  adapt: (name: string, job: Job) => void = () => undefined,
): string {
  const workflow = parse(readFileSync(`examples/${file}`, 'utf8')) as Workflow;
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const ours = job.steps.filter(({ uses }) => uses?.startsWith('org/consul-deploy@'));
    if (ours.length === 0) continue;
    job.steps = [
      // act knows this one and copies the working folder instead of fetching anything.
      { uses: 'actions/checkout@v7' },
      ...ours.map((step) => {
        const given = inputs[`${name}.${step.id}`] ?? inputs[name];
        return { ...step, uses: './', with: { ...step.with, ...given } };
      }),
    ];
    adapt(name, job);
  }
  return stringify(workflow);
}

/** A repository of the action in which act runs workflows, with nothing to reach but the cluster. */
export class Act {
  /** A folder for what workflows and the commands they call leave behind: `$WITNESS`. */
  readonly witness: string;
  /** What was asked of the network, apart from the cluster. */
  readonly asked: string[] = [];
  /** One line of base64, in the secret of the examples. */
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #proxy: Server;
  readonly #cluster: string;

  private constructor(folder: string, kubeconfig: string, cluster: string) {
    this.#folder = folder;
    this.#cluster = cluster;
    this.kubeconfig = kubeconfig;
    this.witness = join(folder, 'witness');
    this.#proxy = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      response.writeHead(403).end();
    });
    this.#proxy.on('connect', ({ url }, socket) => {
      this.asked.push(`CONNECT ${url}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
  }

  /** @param context the kubeconfig's, for the `expect-cluster` of the examples */
  static async start(context: string): Promise<Act> {
    const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-act-'));
    const { kubeconfig, cluster } = await namedKubeconfig(context);
    const act = new Act(folder, kubeconfig, cluster);
    for (const name of ['repository', 'witness', 'home', 'bin']) mkdirSync(join(folder, name));
    const secrets = [
      ...['', 'SOURCE_', 'TARGET_'].map((of) => `${of}KUBECONFIG_BASE64=${kubeconfig}`),
      `SNAPSHOT_PASSPHRASE=${PASSPHRASE}`,
      'GITHUB_TOKEN=none',
    ];
    writeFileSync(join(folder, 'secrets'), `${secrets.join('\n')}\n`, { mode: 0o600 });
    // What a checkout of the action's repository has that the runner looks at.
    const repository = join(folder, 'repository');
    for (const path of ['action.yml', 'dist']) cpSync(path, join(repository, path), { recursive: true });
    mkdirSync(join(repository, WORKFLOWS), { recursive: true });
    await new Promise<void>((resolve) => act.#proxy.listen(0, '127.0.0.1', resolve));
    await act.#git('init', '--quiet', '--initial-branch=main');
    await act.#git('remote', 'add', 'origin', `https://github.com/${REPOSITORY}.git`);
    return act;
  }

  /** A command that the steps find before all others. */
  command(name: string, script: string): void {
    writeFileSync(join(this.#folder, 'bin', name), script, { mode: 0o755 });
  }

  /** @param payload of the event */
  async run(file: string, workflow: string, event: string, payload: object = {}): Promise<Acted> {
    const path = join(WORKFLOWS, file);
    writeFileSync(join(this.#folder, 'repository', path), workflow);
    writeFileSync(join(this.#folder, 'event.json'), JSON.stringify(payload));
    await this.#git('add', '--all');
    await this.#git('commit', '--quiet', '--allow-empty', '--message=The action');
    const { stdout: act } = await run('testbed/build', ['act'], { maxBuffer: 1 << 24 });
    const home = join(this.#folder, 'home');
    const nowhere = `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
    const { KUBECONFIG: _, ...environment } = process.env;
    const options = [
      '--platform=ubuntu-latest=-self-hosted',
      '--no-cache-server',
      `--workflows=${path}`,
      `--secret-file=${join(this.#folder, 'secrets')}`,
      `--eventpath=${join(this.#folder, 'event.json')}`,
      `--env=WITNESS=${this.witness}`,
    ];
    const outcome = run(act.trim(), [event, ...options], {
      cwd: join(this.#folder, 'repository'),
      maxBuffer: 1 << 26,
      env: {
        ...environment,
        // Node 24 first, as with `using: node24` on a runner.
        PATH: `${join(this.#folder, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: home,
        // act asks its makers for news otherwise.
        ACT_DISABLE_VERSION_CHECK: '1',
        XDG_CACHE_HOME: join(home, 'cache'),
        HTTP_PROXY: nowhere,
        HTTPS_PROXY: nowhere,
        http_proxy: nowhere,
        https_proxy: nowhere,
        NO_PROXY: this.#cluster,
        no_proxy: this.#cluster,
      },
    });
    return outcome.then(
      ({ stdout, stderr }) => ({ ok: true, log: stdout + stderr }),
      ({ stdout = '', stderr = '' }: { stdout?: string; stderr?: string }) => ({
        ok: false,
        log: stdout + stderr,
      }),
    );
  }

  /** Actions that were fetched: each would be a folder of its own, named after its repository. */
  fetched(): string[] {
    const cache = readdirSync(join(this.#folder, 'home', 'cache', 'act'));
    return cache.filter((name) => /actions|upload|@/.test(name));
  }

  read(file: string): string {
    return readFileSync(join(this.witness, file), 'utf8');
  }

  close(): void {
    this.#proxy.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #git(...args: string[]): Promise<void> {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
    await run('git', [...who, ...args], { cwd: join(this.#folder, 'repository') });
  }
}

async function namedKubeconfig(context: string): Promise<{ kubeconfig: string; cluster: string }> {
  const raw = await kubectlJson<{
    contexts: { name: string }[];
    clusters: { cluster: { server: string } }[];
  }>('config', 'view', '--raw', '--minify', '--flatten');
  const [only] = raw.contexts;
  if (only) only.name = context;
  const named = JSON.stringify({ ...raw, 'current-context': context });
  return {
    kubeconfig: Buffer.from(named).toString('base64'),
    cluster: new URL(raw.clusters[0]?.cluster.server ?? '').hostname,
  };
}
