import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { havePreviousConsul } from '../bed/bed.ts';
import { consul, members } from '../consul/consul.ts';
import { eventually, isReady, kubectl, kubectlJson, pods, versions } from '../kubernetes/cluster.ts';
import { check, deploy, type Outcome, start } from '../run/action.ts';
import {
  address,
  CLIENTS,
  CONTAINER,
  expectRed,
  expectTold,
  meddle,
  ONE_SERVER,
  readyNames,
  SERVERS,
  SMALL,
  type Workload,
  within,
} from '../run/scenario.ts';

/**
 * Faults that others take for a cluster that works. Each is there for the whole run, and each time somebody
 * else than the action (kubectl, Consul at the pod's address) is asked whether it really was.
 */

function expectPassed(outcome: Outcome, id: string): void {
  const { status, observed } = check(outcome, id);
  expect(status, `${observed}\n${outcome.log}`).toBe('passed');
}

/** Readiness as it is often written: the port is open. */
function alwaysReady(target: Workload) {
  return {
    target,
    operations: [
      { op: 'replace', path: `${CONTAINER}/readinessProbe`, value: { tcpSocket: { port: 8500 } } },
      { op: 'remove', path: `${CONTAINER}/startupProbe` },
      { op: 'remove', path: `${CONTAINER}/livenessProbe` },
    ],
  };
}

const leaderAt = (ip: string) => consul<string>(ip, '/v1/status/leader');

async function nodeNames(): Promise<string[]> {
  const { items } = await kubectlJson<{ items: { metadata: { name: string } }[] }>('get', 'nodes');
  return items.map(({ metadata }) => metadata.name);
}

describe.concurrent('the third server cannot be scheduled', () => {
  const label = 'e2e.consul-deploy/servers';

  it(
    'waits for it in vain when only two nodes are allowed',
    within('two-nodes', async (namespace) => {
      const nodes = await nodeNames();
      try {
        await kubectl('label', 'nodes', ...nodes.slice(0, 2), `${label}=`);
        const nodeSelector = { [label]: '' };
        const patch = { target: SERVERS, merge: { spec: { template: { spec: { nodeSelector } } } } };
        const outcome = await deploy({ ...SMALL, namespace, patches: JSON.stringify([patch]) });

        expectTold(outcome, 'unschedulable', {
          what: /consul-server-\d: no node for it: .*didn't match/,
          where: /^Pod\/consul-server-\d$/,
          hint: 'each server needs a node of its own',
        });
        expect(check(outcome, 'cluster-nodes')).toMatchObject({
          status: 'warning',
          observed: expect.stringContaining(`2 of ${nodes.length} take servers now (other labels: `),
        });
        const servers = await pods(namespace, 'server');
        const pending = servers.filter(({ spec }) => spec.nodeName === undefined);
        expect(pending).toHaveLength(1);
        expect(check(outcome, 'servers-ready').status).toBe('failed');
        const voters = check(outcome, 'quorum-voters');
        expect(voters.status).toBe('failed');
        expect(voters.observed).toContain(`${pending[0]?.metadata.name} Unschedulable`);
      } finally {
        await kubectl('label', 'nodes', '--all', `${label}-`);
      }
    }),
  );
});

describe.concurrent('ACLs deny', () => {
  const READING =
    'agent_prefix "" { policy = "read" } node_prefix "" { policy = "write" } session_prefix "" { policy = "write" } operator = "read" ';
  const DEADLINE_MS = 90_000;
  /** What requests without a token are made as. */
  const ANONYMOUS = '00000000-0000-0000-0000-000000000002';

  /** Servers that deny everything to whoever has no token, until `rules` allow that much. */
  async function deployUnder(
    rules: string,
    namespace: string,
    inputs: Record<string, string>,
  ): Promise<{ outcome: Outcome; token: string }> {
    const token = randomUUID();
    const acl = { enabled: true, default_policy: 'deny', tokens: { initial_management: token } };
    const running = start({ ...ONE_SERVER, ...inputs, namespace, 'server-config': JSON.stringify({ acl }) });
    const headers = { 'X-Consul-Token': token };
    const put = async (path: string, body: unknown) => {
      const ip = await address(namespace, 'consul-server-0');
      return consul<object>(ip, path, { method: 'PUT', headers, body: JSON.stringify(body) });
    };
    await eventually('the rules are in force', DEADLINE_MS, async () => {
      // Refused until there is a leader, and as a duplicate where the answer to an earlier try was lost.
      await put('/v1/acl/policy', { Name: 'allowed', Rules: rules }).catch(() => undefined);
      const linked = { Policies: [{ Name: 'allowed' }] };
      return put(`/v1/acl/token/${ANONYMOUS}`, linked).catch(() => undefined);
    });
    return { outcome: await running.outcome, token };
  }

  it(
    'the write of a key',
    within('no-write', async (namespace) => {
      const rules = `${READING} key_prefix "" { policy = "read" } service_prefix "" { policy = "write" }`;
      const { outcome, token } = await deployUnder(rules, namespace, {});

      // Final, so it does not take until the deadline.
      expectRed(outcome, 'forbidden');
      const found = check(outcome, 'smoke-kv');
      expect(found.status).toBe('failed');
      expect(found.observed).toMatch(/PUT \/v1\/kv\/consul-deploy\/smoke\/.* answered 403.*key:write/);
      for (const id of ['quorum-leader', 'quorum-voters', 'quorum-version']) {
        expectPassed(outcome, id);
      }
      // What else was being proved has been cleaned up before the end.
      const services = await consul<object>(
        await address(namespace, 'consul-server-0'),
        '/v1/catalog/services',
        { headers: { 'X-Consul-Token': token } },
      );
      expect(Object.keys(services)).toEqual(['consul']);
    }),
  );

  it(
    'everything, also the questions',
    within('no-answer', async (namespace) => {
      const { outcome } = await deployUnder('key_prefix "" { policy = "write" }', namespace, {});

      expectTold(outcome, 'acl-denied', { what: /its ACLs hide/, hint: 'anonymous token' });
      expect(await readyNames(namespace)).toHaveLength(3);
      const found = check(outcome, 'quorum-members');
      expect(found.status).toBe('failed');
      expect(found.observed).toContain('ACLs hide members');
    }),
  );

  it(
    'the registration, while the agent answers 200',
    within('no-registration', async (namespace) => {
      const rules = `${READING} key_prefix "" { policy = "write" } service_prefix "" { policy = "read" }`;
      const { outcome, token } = await deployUnder(rules, namespace, {});

      expectTold(outcome, 'acl-denied', {
        what: /2 pods .*blocked by ACLs/,
        where: 'Pod/consul-client-0',
        hint: 'tokens',
      });
      const found = check(outcome, 'smoke-service');
      expect(found.status).toBe('failed');
      expect(found.observed).toContain('no end after 30 s');
      const failed = outcome.report?.checks.filter(({ status }) => status === 'failed').map(({ id }) => id);
      expect(failed).toContain('smoke-service');
      expectPassed(outcome, 'smoke-kv');
      expectPassed(outcome, 'quorum-members');

      const client = await address(namespace, 'consul-client-0');
      const answer = await fetch(`http://${client}:8500/v1/agent/service/register`, {
        method: 'PUT',
        body: '{"Name":"e2e-witness"}',
      });
      expect(answer.status).toBe(200);
      const server = await address(namespace, 'consul-server-0');
      const catalog = await consul<Record<string, string[]>>(server, '/v1/catalog/services', {
        headers: { 'X-Consul-Token': token },
      });
      expect(Object.keys(catalog)).toEqual(['consul']);
    }),
  );
});

describe.concurrent('ACLs hide', () => {
  it(
    'the services, so that nobody knows what the clients hold that will be replaced',
    within('no-services', async (namespace) => {
      const [all, few] = [randomUUID(), randomUUID()];
      const acl = { enabled: true, default_policy: 'deny', tokens: { default: all } };
      const servers = { ...acl, tokens: { ...acl.tokens, initial_management: all } };
      const inputs = {
        ...ONE_SERVER,
        namespace,
        'server-config': JSON.stringify({ acl: servers }),
        'client-config': JSON.stringify({ acl }),
      };
      const first = await deploy(inputs);
      expect(first.code, first.log).toBe(0);

      const headers = { 'X-Consul-Token': all };
      const put = async (pod: string, path: string, body: unknown) => {
        const answer = await fetch(`http://${await address(namespace, pod)}:8500${path}`, {
          method: 'PUT',
          headers,
          body: JSON.stringify(body),
        });
        expect(answer.status, await answer.text()).toBe(200);
      };
      await put('consul-client-1', '/v1/agent/service/register', { ID: 'web-1', Name: 'web' });
      const Rules =
        'agent_prefix "" { policy = "write" } node_prefix "" { policy = "write" } session_prefix "" { policy = "write" } ' +
        'operator = "read" key_prefix "" { policy = "write" } service_prefix "consul-deploy-smoke" { policy = "write" }';
      await put('consul-server-0', '/v1/acl/policy', { Name: 'few', Rules });
      await put('consul-server-0', '/v1/acl/token', { SecretID: few, Policies: [{ Name: 'few' }] });
      for (const { metadata } of await pods(namespace)) {
        await put(metadata.name, '/v1/agent/token/default', { Token: few });
      }
      const server = await address(namespace, 'consul-server-0');
      const catalog = async (init?: RequestInit) =>
        Object.keys(await consul<object>(server, '/v1/catalog/services', init)).sort();
      await eventually('the service in the catalog', 60_000, async () =>
        (await catalog({ headers })).includes('web') ? true : undefined,
      );
      expect(await catalog()).toEqual([]);

      const before = await pods(namespace, 'client');
      const stored = await versions(namespace);
      const changed = { ...inputs, 'client-config': JSON.stringify({ acl, log_level: 'debug' }) };
      const outcome = await deploy(changed);
      expectRed(outcome, 'acl-denied');
      expect(outcome.report?.failure?.hint).toContain('service_prefix "" { policy = "read" }');
      expect(outcome.report?.left).toBe('Nothing was changed.');
      expect(await versions(namespace)).toEqual(stored);
      const uids = (found: typeof before) => found.map(({ metadata }) => metadata.uid);
      expect(uids(await pods(namespace, 'client'))).toEqual(uids(before));
      expect(await catalog({ headers })).toContain('web');
    }),
    300_000,
  );
});

describe.concurrent('servers that are ready, but not one cluster', () => {
  it(
    'sees that every server has formed a cluster of its own',
    within('many-leaders', async (namespace) => {
      const outcome = await deploy({ ...SMALL, namespace, 'server-config': '{"bootstrap_expect":1}' });

      expectTold(outcome, 'split', { what: 'consul-server-0 follows', hint: 'bootstrap_expect' });
      expect(await readyNames(namespace)).toHaveLength(5);
      const addresses = (await pods(namespace, 'server')).map(({ status }) => status.podIP ?? '');
      const leaders = new Set(await Promise.all(addresses.map(leaderAt)));
      expect(leaders.size).toBe(3);
      const leader = check(outcome, 'quorum-leader');
      expect(leader.status).toBe('failed');
      for (const address of leaders) expect(leader.observed).toContain(address);
      expect(check(outcome, 'quorum-voters').status).toBe('failed');
      // What readiness alone would have said:
      expectPassed(outcome, 'servers-ready');
      expectPassed(outcome, 'clients-ready');
    }),
  );

  it(
    'sees that one server has formed a cluster of its own',
    within('two-leaders', async (namespace) => {
      const script = `
      set -- agent -node="$POD_NAME" -advertise="$POD_IP"
      case $POD_NAME in
        *-0) set -- "$@" -bootstrap-expect=2 ;;
        *-1) set -- "$@" -bootstrap-expect=2 -retry-join="$CONSUL_SERVER_0_SERVICE_HOST" ;;
        *-2) set -- "$@" -bootstrap-expect=1 ;;
      esac`;
      // Without clients: they would introduce the one to the others.
      const patches = JSON.stringify([meddle(SERVERS, script)]);
      const outcome = await deploy({ ...SMALL, namespace, patches, clients: 'none', 'client-replicas': '' });

      expectTold(outcome, 'split', { what: 'consul-server-2 follows', hint: 'bootstrap_expect' });
      // An election takes their readiness for a moment.
      await eventually('all to be ready', 60_000, async () =>
        (await readyNames(namespace)).length === 3 ? true : undefined,
      );
      const own = await address(namespace, 'consul-server-2');
      const other = await address(namespace, 'consul-server-0');
      expect(await leaderAt(own)).toBe(`${own}:8300`);
      const leader = check(outcome, 'quorum-leader');
      expect(leader.status).toBe('failed');
      expect(await leaderAt(other)).not.toBe(`${own}:8300`);
      expect(leader.observed).toContain(`consul-server-2 follows ${own}:8300`);
      // The two elect again at times, so either may have led when the run looked, and one may not have known it yet.
      const others = [other, await address(namespace, 'consul-server-1')];
      expect(
        others.some((ip) => leader.observed.includes(`${ip}:8300`)),
        leader.observed,
      ).toBe(true);
      expectPassed(outcome, 'servers-ready');
    }),
  );
});

describe.concurrent('one client is outside', () => {
  const elsewhere = '[ "$POD_NAME" != consul-client-1 ] || set -- "$@" -datacenter=dc2';
  const alone = '[ "$POD_NAME" != consul-client-1 ] || set -- agent -node="$POD_NAME" -advertise="$POD_IP"';

  it.each([
    ['joins another datacenter', 'other-datacenter', elsewhere, 'wrong-datacenter', 'datacenter'],
    ['never joins', 'never-joins', alone, 'outside', 'retry_join'],
  ])('which %s', (_, scenario, script, reason, hint) =>
    within(scenario, async (namespace) => {
      const patches = JSON.stringify([meddle(CLIENTS, script)]);
      const outcome = await deploy({ ...ONE_SERVER, namespace, patches });

      expectTold(outcome, reason, { what: 'consul-client-1', where: 'Pod/consul-client-1', hint });
      await expectOutside(namespace, outcome);
      const clients = check(outcome, 'clients-ready');
      expect(clients.status).toBe('failed');
      expect(clients.observed).toContain('1 of 2: consul-client-1');
      expect(outcome.outputs['clients-ready']).toBe('1');
    })(),
  );

  it(
    'and its readiness probe always passes',
    within('ready-outside', async (namespace) => {
      const patches = JSON.stringify([meddle(CLIENTS, alone), alwaysReady(CLIENTS)]);
      const outcome = await deploy({ ...ONE_SERVER, namespace, patches });

      expectTold(outcome, 'outside', {
        what: 'consul-client-1: its agent has not joined the servers',
        where: 'Pod/consul-client-1',
        hint: 'retry_join',
      });
      expect(await readyNames(namespace)).toHaveLength(3);
      await expectOutside(namespace, outcome);
      expectPassed(outcome, 'clients-ready');
    }),
  );

  async function expectOutside(namespace: string, outcome: Outcome): Promise<void> {
    const inside = await members(await address(namespace, 'consul-server-0'));
    expect(inside.map(({ Name }) => Name)).toContain('consul-client-0');
    expect(inside.map(({ Name }) => Name)).not.toContain('consul-client-1');
    const found = check(outcome, 'quorum-members');
    expect(found.status).toBe('failed');
    expect(found.observed).toContain('consul-client-1 is not a member');
    // The server itself is in order.
    expectPassed(outcome, 'quorum-leader');
    expectPassed(outcome, 'quorum-voters');
  }
});

describe.concurrent('a server is outside', () => {
  it(
    'and the readiness probe always passes',
    within('server-outside', async (namespace) => {
      const script = '[ "$POD_NAME" != consul-server-2 ] || set -- "$@" -datacenter=dc2';
      // Two of three voters would do for Consul.
      const patches = JSON.stringify([meddle(SERVERS, script), alwaysReady(SERVERS)]);
      const outcome = await deploy({
        ...SMALL,
        namespace,
        patches,
        'server-config': '{"bootstrap_expect":2}',
      });

      expectTold(outcome, 'wrong-datacenter', {
        what: 'consul-server-2 is in dc2, not dc1',
        hint: 'datacenter',
      });
      expect(await readyNames(namespace)).toHaveLength(5);
      expect(await leaderAt(await address(namespace, 'consul-server-0'))).not.toBe('');
      expect(await leaderAt(await address(namespace, 'consul-server-2'))).toBe('');
      expectPassed(outcome, 'servers-ready');
      expect(check(outcome, 'quorum-leader')).toMatchObject({
        status: 'failed',
        observed: expect.stringContaining('consul-server-2 sees no leader'),
      });
      expect(check(outcome, 'quorum-datacenter')).toMatchObject({
        status: 'failed',
        observed: 'consul-server-2 is in dc2, not dc1',
      });
    }),
  );
});

describe.concurrent('one client answers no DNS', () => {
  it(
    'while it is ready, and all else works',
    within('no-dns', async (namespace) => {
      const script = '[ "$POD_NAME" != consul-client-1 ] || set -- "$@" -dns-port=-1';
      const outcome = await deploy({
        ...ONE_SERVER,
        namespace,
        patches: JSON.stringify([meddle(CLIENTS, script)]),
      });

      expectTold(outcome, 'smoke', {
        what: /consul-client-1: Service registration and DNS fails: .*nothing listens on port 8600/,
        where: 'Pod/consul-client-1',
        hint: '8600',
      });
      expect(await readyNames(namespace)).toHaveLength(3);
      expect(check(outcome, 'smoke-service').status).toBe('failed');
      for (const id of ['clients-ready', 'quorum-members', 'smoke-kv']) expectPassed(outcome, id);
    }),
  );
});

describe.concurrent('a server answers with another version than the image asked for', () => {
  beforeAll(havePreviousConsul);

  it(
    'is told from the answer, not from the image',
    within('version', async (namespace) => {
      const image = 'hashicorp/consul:1.22.2';
      const operations = [{ op: 'replace', path: `${CONTAINER}/image`, value: image }];
      const outcome = await deploy({
        ...ONE_SERVER,
        namespace,
        image: 'hashicorp/consul:1.22.7',
        patches: JSON.stringify([{ target: SERVERS, operations }]),
      });

      expectTold(outcome, 'wrong-version', { what: 'runs 1.22.2, not 1.22.7', hint: 'image' });
      expect(await readyNames(namespace)).toHaveLength(3);
      const version = check(outcome, 'quorum-version');
      expect(version.status).toBe('failed');
      expect(version.expected).toBe('1.22.7');
      expect(version.observed).toContain('consul-server-0 runs 1.22.2, not 1.22.7');
      for (const id of [
        'servers-ready',
        'clients-ready',
        'quorum-leader',
        'quorum-voters',
        'quorum-members',
      ]) {
        expectPassed(outcome, id);
      }
    }),
  );
});

describe.concurrent('the pods that are ready are those of the revision before', () => {
  async function clientUids(namespace: string): Promise<string[]> {
    const clients = await pods(namespace, 'client');
    expect(clients.every(isReady)).toBe(true);
    return clients.map(({ metadata }) => metadata.uid).sort();
  }

  it(
    'held by a partition, then by OnDelete',
    within('revision', async (namespace) => {
      const inputs = { ...ONE_SERVER, namespace };
      const first = await deploy(inputs);
      expect(first.code, first.log).toBe(0);
      const before = await clientUids(namespace);
      for (const [updateStrategy, observed, leave] of [
        [{ rollingUpdate: { partition: 2 } }, 'partition 2 holds back', true],
        [{ type: 'OnDelete', rollingUpdate: null }, 'updateStrategy OnDelete', false],
      ] as const) {
        const outcome = await deploy({
          ...inputs,
          'client-config': `{"log_level":"debug","leave_on_terminate":${leave}}`,
          patches: JSON.stringify([{ target: CLIENTS, merge: { spec: { updateStrategy } } }]),
        });

        expectTold(outcome, 'held-back', {
          what: observed,
          where: 'StatefulSet/consul-client',
          hint: 'updateStrategy',
        });
        expect(await clientUids(namespace)).toEqual(before);
        const clients = check(outcome, 'clients-ready');
        expect(clients.status).toBe('failed');
        expect(clients.observed).toContain(observed);
        expect(clients.observed).toContain('consul-client-0, consul-client-1');
        const failed = outcome.report?.checks.filter(({ status }) => status === 'failed').map(({ id }) => id);
        expect(failed).toContain('clients-ready');
        // Nothing else could tell.
        expectPassed(outcome, 'quorum-members');
        expectPassed(outcome, 'servers-ready');
      }
    }),
  );
});
