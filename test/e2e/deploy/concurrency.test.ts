import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys, services } from '../consul/consul.ts';
import { eventually, isReady, kubectl, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { deploy, type Outcome, type Running, start } from '../run/action.ts';
import { IN_TURN } from '../run/scenario.ts';

const LOCK = 'lease/consul-deploy-consul';
const inputs = {
  'stable-for': '0s',
  servers: '1',
  'client-replicas': '2',
  'server-storage': 'ephemeral',
};

function holder(namespace: string): Promise<string> {
  return kubectl('-n', namespace, 'get', LOCK, '-o', 'jsonpath={.spec.holderIdentity}');
}

function logged(running: Running, text: string): Promise<true> {
  return eventually(`the log to say "${text}"`, 60_000, async () =>
    running.log().includes(text) ? true : undefined,
  );
}

function succeeded(outcome: Outcome): void {
  expect(outcome.code, outcome.log).toBe(0);
  expect(outcome.outputs.result).toBe('success');
}

/** Nothing of the smoke tests, whichever run wrote it. */
async function expectNothingLeft(namespace: string): Promise<void> {
  const [server] = await pods(namespace, 'server');
  const ip = server?.status.podIP ?? '';
  expect(await keys(ip, 'consul-deploy/')).toEqual([]);
  expect(await services(ip)).toEqual(['consul']);
}

describe.concurrent('two runs at once', () => {
  const namespace = namespaceName('two');
  beforeAll(() => kubectl('create', 'namespace', namespace));
  afterAll(() => removeNamespace(namespace));

  it('one waits for the other, both are green, and only one has written', IN_TURN, async () => {
    const outcomes = await Promise.all([deploy({ ...inputs, namespace }), deploy({ ...inputs, namespace })]);
    for (const outcome of outcomes) succeeded(outcome);
    expect(outcomes.map(({ outputs }) => outputs.changed).sort()).toEqual(['false', 'true']);
    const waited = outcomes.filter(({ log }) => log.includes('another run holds the lock since'));
    expect(waited.map(({ outputs }) => outputs.changed)).toEqual(['false']);
    expect(await holder(namespace)).toBe('');
    await expectNothingLeft(namespace);
  });
});

describe.concurrent('a run that is cancelled', () => {
  const namespace = namespaceName('cancelled');
  afterAll(() => removeNamespace(namespace));

  it('says so, fails and lets go of the lock', IN_TURN, async () => {
    const run = start({ ...inputs, namespace });
    await logged(run, 'Wait and prove');
    expect(await holder(namespace)).not.toBe('');
    run.process.kill('SIGINT');
    const outcome = await run.outcome;
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({
      result: 'cancelled',
      'failure-reason': 'cancelled',
      changed: 'true',
    });
    expect(outcome.report?.failure?.what).toContain('SIGINT');
    expect(outcome.report?.left).toContain('the next run continues from there');
    expect(outcome.summary).not.toContain('Consul works');
    expect(await holder(namespace)).toBe('');
  });

  it('is finished by the next run', IN_TURN, async () => {
    const outcome = await deploy({ ...inputs, namespace });
    succeeded(outcome);
    expect(outcome.log).not.toContain('another run holds the lock');
    expect((await pods(namespace)).filter(isReady)).toHaveLength(3);
    await expectNothingLeft(namespace);
  });
});

/** Agents that do not answer for Consul's domain: a run registers its services and then waits for DNS. */
const UNHEARD = { ...inputs, 'client-config': '{"domain":"elsewhere"}', 'log-level': 'debug' };

/** Waits until the services of the proof are there, at the agents and in the catalog. */
async function inItsProof(running: Running, namespace: string): Promise<void> {
  await logged(running, 'service: resolve consul-deploy-smoke-');
  await eventually('a smoke service in the catalog', 30_000, async () => {
    const [server] = await pods(namespace, 'server');
    const found = await services(server?.status.podIP ?? '');
    return found.some((name) => name.startsWith('consul-deploy-smoke-')) ? true : undefined;
  });
}

describe.concurrent('a run that ends in the middle of its proof', () => {
  const namespace = namespaceName('proof');
  afterAll(() => removeNamespace(namespace));

  it('because it is cancelled, takes everything back with it in time', IN_TURN, async () => {
    const run = start({ ...UNHEARD, namespace });
    await inItsProof(run, namespace);
    const since = Date.now();
    run.process.kill('SIGINT');
    const outcome = await run.outcome;
    // The runner sends SIGTERM after 7.5 s, and kills after 10 s.
    expect(Date.now() - since).toBeLessThan(7_500);
    expect(outcome.outputs).toMatchObject({ result: 'cancelled', 'failure-reason': 'cancelled' });
    expect(outcome.summary).toContain('Cancelled in phase');
    expect(outcome.summary).toContain('The cluster is left as');
    expect(await holder(namespace)).toBe('');
    await expectNothingLeft(namespace);
  });

  it('because it is killed, has everything taken back by the post step', IN_TURN, async () => {
    const job = { GITHUB_REPOSITORY: 'org/repository', GITHUB_RUN_ID: '4712', GITHUB_JOB: 'deploy' };
    const run = start({ ...UNHEARD, namespace }, { ...job, GITHUB_RUN_ATTEMPT: '1' });
    await inItsProof(run, namespace);
    killMain(run);
    const outcome = await run.outcome;
    expect(outcome.outputs.result).toBeUndefined();
    expect(outcome.log).toContain('removed 2 smoke services');
    expect(outcome.summary).toContain('was ended from outside');
    expect(await holder(namespace)).toBe('');
    await expectNothingLeft(namespace);
  });
});

/** As a machine that runs out of memory does it; the post step still runs. */
function killMain({ process: { pid } }: Running): void {
  const [main] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(main), 'SIGKILL');
}

describe.concurrent('a run that is killed', () => {
  const namespace = namespaceName('killed');
  afterAll(() => removeNamespace(namespace));

  /** Kills the main step as soon as it waits. */
  async function killed(env: NodeJS.ProcessEnv): Promise<Outcome> {
    // Something new each time, so that there is something to wait for.
    const run = start(
      { ...inputs, namespace, 'client-config': `{"node_meta": {"run": "${Date.now()}"}}` },
      env,
    );
    await logged(run, 'Wait and prove');
    expect(await holder(namespace)).not.toBe('');
    killMain(run);
    return run.outcome;
  }

  it('has its lock released by the post step of its job', IN_TURN, async () => {
    const job = {
      GITHUB_REPOSITORY: 'org/repository',
      GITHUB_RUN_ID: '4711',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_JOB: 'deploy',
    };
    const outcome = await killed(job);
    expect(outcome.code).toBe(1);
    expect(outcome.outputs.result).toBeUndefined();
    expect(outcome.log).toContain('released the lock that the main step had left behind');
    expect(await holder(namespace)).toBe('');
  });

  it('elsewhere leaves its lock, which the next run takes over once it has expired', IN_TURN, async () => {
    const outcome = await killed({ GITHUB_RUN_ID: undefined });
    expect(outcome.code).toBe(1);
    const left = await holder(namespace);
    expect(left).not.toBe('');
    const next = start({ ...inputs, namespace });
    await logged(next, `another run holds the lock since`);
    // The 60 s it has to live, shortened.
    const spec = JSON.stringify({ spec: { leaseDurationSeconds: 3 } });
    await kubectl('-n', namespace, 'patch', LOCK, '--type=merge', `--patch=${spec}`);
    const finished = await next.outcome;
    succeeded(finished);
    expect(finished.report?.warnings).toContainEqual(
      expect.stringContaining(`Took over the lock of ${left}`),
    );
    expect(await holder(namespace)).toBe('');
    await expectNothingLeft(namespace);
  });
});
