import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { consul, raftViews } from '../consul/consul.ts';
import {
  eventually,
  isReady,
  kubectl,
  namespaceName,
  pods,
  removeNamespace,
  signalAgent,
} from '../kubernetes/cluster.ts';
import { check, deploy, logged, type Outcome, type Running, start } from '../run/action.ts';
import { CONTAINER, expectRed, expectTold, IN_TURN, SMALL } from '../run/scenario.ts';

/** Ready, unless a file says something else: a test writes it, and readiness comes and goes. */
const FILE = '/consul/data/ready';
const PROBE = {
  exec: { command: ['/bin/sh', '-c', `[ ! -e ${FILE} ] || . ${FILE}`] },
  periodSeconds: 1,
  failureThreshold: 1,
  // The kubelet's default of 1 s is too short for a command on a busy machine.
  timeoutSeconds: 5,
};

/** Deployed before the tests of the suite that asks for it, and removed after them. */
function smallCluster() {
  const namespace = namespaceName('stable');
  const { 'client-replicas': _, ...small } = SMALL;
  const verify = (inputs: Record<string, string> = {}): Running =>
    start({ mode: 'verify', namespace, timeout: '3m', 'stable-for': '10s', ...inputs });

  async function ips(): Promise<string[]> {
    return (await pods(namespace, 'server')).map(({ status }) => status.podIP ?? '');
  }

  async function term(): Promise<number> {
    const [ip = ''] = await ips();
    const { Stats } = await consul<{ Stats: { raft: { term: string } } }>(ip, '/v1/agent/self');
    return Number(Stats.raft.term);
  }

  /** Hands the leadership to another server, which no pod notices. */
  async function elect(): Promise<void> {
    const [view] = await raftViews(namespace);
    const follower = view?.servers.find(({ Leader }) => !Leader);
    const path = `/v1/operator/raft/transfer-leader?id=${follower?.ID}`;
    await consul(view?.ip ?? '', path, { method: 'POST' });
  }

  /** What each client's readiness is from now on, as shell; undefined: as usual. */
  async function clientsReadyIf(script: ((client: number) => string) | undefined): Promise<void> {
    const clients = await pods(namespace, 'client');
    await Promise.all(
      clients.map(({ metadata: { name } }, at) => {
        const act = script ? `echo '${script(at)}' > ${FILE}` : `rm -f ${FILE}`;
        return kubectl('-n', namespace, 'exec', name, '--', '/bin/sh', '-c', act);
      }),
    );
  }

  function expectUnstable(outcome: Outcome, why: RegExp): void {
    const stable = check(outcome, 'quorum-stable');
    expect(stable.status, outcome.log).toBe('failed');
    expect(stable.observed).toMatch(why);
  }

  beforeAll(async () => {
    const patch = {
      target: { kind: 'DaemonSet', name: 'consul-client' },
      operations: [{ op: 'replace', path: `${CONTAINER}/readinessProbe`, value: PROBE }],
    };
    const inputs = { ...small, namespace, clients: 'daemonset', patches: JSON.stringify([patch]) };
    const deployed = await deploy(inputs);
    expect(deployed.code, deployed.log).toBe(0);
  });
  afterAll(() => removeNamespace(namespace));
  afterEach(() => clientsReadyIf(undefined));

  return { namespace, verify, term, elect, clientsReadyIf, expectUnstable };
}

describe.concurrent('a small cluster', () => {
  const { namespace, verify, term, clientsReadyIf, expectUnstable } = smallCluster();

  it(
    'that stays as it is need not be watched again: the record and the pods say since when',
    IN_TURN,
    async () => {
      const first = await verify().outcome;
      expect(first.code, first.log).toBe(0);
      const second = await verify().outcome;
      expect(second.code, second.log).toBe(0);
      const { status, observed } = check(second, 'quorum-stable');
      expect(status).toBe('passed');
      const now = await term();
      expect(observed).toMatch(
        new RegExp(`^leader and voters \\(term ${now}\\) since .*Z by the record of an earlier run; `),
      );
      expect(observed).toMatch(
        /servers ready since .*Z by the status of the pods; clients ready since .*Z by/,
      );
    },
  );

  /** Before it a verification may be green, and rightly so: the pods have been ready for long. */
  const oneIsUnready = () =>
    eventually('a client that is not ready', 30_000, async () =>
      (await pods(namespace, 'client')).every(isReady) ? undefined : true,
    );

  it('whose clients lose their readiness again and again, all at once, is never green', IN_TURN, async () => {
    await clientsReadyIf(() => 'test $(( $(date +%s) / 4 % 2 )) = 0');
    await oneIsUnready();
    const outcome = await verify().outcome;
    expectTold(outcome, 'not-ready', {
      what: /its readiness comes and goes/,
      where: /^Pod\/consul-client-/,
      hint: 'probe',
    });
    expectUnstable(outcome, /^not yet|consul-client-\w+ (is not ready|ready only since then)$/);
  });

  it(
    'whose clients lose their readiness one after the other, while some are always ready, is never green',
    IN_TURN,
    async () => {
      // For two seconds in twelve each; for two seconds in four none of them.
      await clientsReadyIf((client) => `test $(( $(date +%s) / 2 % 6 )) != ${2 * client}`);
      await oneIsUnready();
      const outcome = await verify({ timeout: '40s' }).outcome;
      // Each comes and goes, too, and on a slow machine the run lasts long enough to tell.
      const reason = outcome.report?.failure?.reason ?? '';
      expect(['timeout', 'not-ready'], outcome.log).toContain(reason);
      expectRed(outcome, reason);
      expectUnstable(outcome, /^not yet$|consul-client-\w+ (is not ready|ready only since then)$/);
    },
  );
});

describe.concurrent('a small cluster', () => {
  const { namespace, verify, term, elect, expectUnstable } = smallCluster();

  it('whose leader changes every six seconds is never green', IN_TURN, async () => {
    const before = await term();
    const run = verify({ timeout: '40s' });
    let over = false;
    const changing = (async () => {
      while (!over) {
        const since = performance.now();
        await elect().catch(() => undefined);
        await eventually('six seconds', 10_000, async () =>
          over || performance.now() - since >= 6_000 ? true : undefined,
        );
      }
    })();
    const outcome = await run.outcome;
    over = true;
    await changing;
    expectRed(outcome, 'timeout');
    expectUnstable(outcome, /leader, term and voters known only since then$|^not yet$/);
    expect((await term()) - before).toBeGreaterThanOrEqual(4);
    // What a look at one moment says.
    expect(check(outcome, 'servers-ready').status).toBe('passed');
  });

  it('that elects in each phase of a verification is green', IN_TURN, async () => {
    const run = verify({ 'stable-for': '2s' });
    const before = await term();
    let made = 0;
    const marks = [
      'Connect to the cluster',
      'Compare with',
      'Prove',
      '✓ Consistent read',
      '✓ Stable',
      'Record',
    ];
    const elections = marks.map(async (mark) => {
      await seen(run, mark);
      await elect().then(
        () => (made += 1),
        () => undefined,
      );
    });
    const outcome = await run.outcome;
    await Promise.all(elections);
    expect(outcome.code, outcome.log).toBe(0);
    // Two at the same moment may be one.
    expect(made).toBeGreaterThanOrEqual(4);
    expect((await term()) - before).toBeGreaterThanOrEqual(4);
  });

  it(
    'whose pods are replaced during the smoke test is green: a client that hangs, and a server',
    IN_TURN,
    async () => {
      const [client] = await pods(namespace, 'client');
      if (!client) throw new Error('no clients');
      const { name } = client.metadata;
      // Its pod stays ready while the agent hangs, so the smoke test asks it.
      await signalAgent(namespace, name, 'STOP');
      const run = verify({ 'stable-for': '2s', 'log-level': 'debug' });
      await logged(run, `at ${name}`);
      const both = [name, 'consul-server-2'];
      await kubectl('-n', namespace, 'delete', 'pod', ...both, '--grace-period=1', '--wait=false');
      const outcome = await run.outcome;
      expect(outcome.code, outcome.log).toBe(0);
      expect(check(outcome, 'smoke-service').observed).toMatch(/^3 services/);
      const clients = (await pods(namespace, 'client')).map(({ metadata }) => metadata.name);
      expect(clients).toHaveLength(3);
      expect(clients).not.toContain(name);
    },
  );
});

/** Waits until the run has printed it, or has ended. */
function seen(run: Running, text: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (run.log().includes(text)) resolve();
    };
    run.process.stdout?.on('data', look);
    run.process.on('close', () => resolve());
    look();
  });
}
