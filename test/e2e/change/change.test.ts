import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul } from '../consul/consul.ts';
import {
  containers,
  eventually,
  isReady,
  kubectl,
  kubectlFed,
  namespaceName,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { deploy, killedAt } from '../run/action.ts';
import { address, expectRed, expectReplaced, LIVING, replaced, SERVERS } from '../run/scenario.ts';
import { type Traffic, underTraffic } from '../traffic/traffic.ts';
import {
  consequences,
  expectUnnoticed,
  handOvers,
  heldService,
  leadership,
  register,
  restartedIn,
} from './observed.ts';

const WALKED = [2, 1, 0].map((ordinal) => `consul-server-${ordinal}`);

describe('what is deployed changes while an application writes, reads and asks DNS', () => {
  const namespace = namespaceName('change');
  const given = { ...LIVING, namespace, 'client-replicas': '1' };
  const podsOf = (value: string) => ({ ...given, ...replaced(value, SERVERS) });

  beforeAll(async () => {
    const outcome = await deploy(given);
    expect(outcome.code, outcome.log).toBe(0);
  });
  afterAll(() => removeNamespace(namespace));

  describe('which Consul can reload', () => {
    const reloaded = {
      ...given,
      'server-config': '{"log_level": "warn"}',
      'client-config': '{"log_level": "warn", "recursors": ["192.0.2.1"]}',
    };

    it('no pod is replaced, nobody notices, and every agent runs the new one', async () => {
      const before = [await containers(namespace), await leadership(namespace)];
      const client = await address(namespace, 'consul-client-0');
      const service = { Name: 'held', Check: { TTL: '10m', Status: 'passing' } };
      await register(client, service);
      const { value, traffic } = await underTraffic({ namespace, prefix: 'reload' }, () => deploy(reloaded));
      expect(value.code, value.log).toBe(0);
      expect(consequences(value)).toEqual({
        'ConfigMap/consul-client-config': 'reloads',
        'ConfigMap/consul-server-config': 'reloads',
      });
      expect([await containers(namespace), await leadership(namespace)]).toEqual(before);
      await expectUnnoticed(traffic);
      expect([traffic.writes, traffic.reads, traffic.dns].flatMap(({ failures }) => failures)).toEqual([]);
      expect(await logLevels(namespace)).toEqual(['warn', 'warn', 'warn', 'warn']);
      expect(await heldService(namespace)).toBe('passing');
    });

    it('a deploy is killed before all have read it, and the next one goes on', async () => {
      const before = await containers(namespace);
      const inputs = { ...reloaded, 'server-config': '{"log_level": "error"}', 'client-config': '' };
      const killed = await killedAt(inputs, 'of 14 objects written');
      expect(killed.code).not.toBe(0);
      expect(await logLevels(namespace)).toContain('warn');
      const next = await deploy(inputs);
      expect(next.code, next.log).toBe(0);
      expect(consequences(next)).toEqual({});
      expect(await logLevels(namespace)).toEqual(['INFO', 'error', 'error', 'error']);
      expect(await containers(namespace)).toEqual(before);
    });

    it('one that agents refuse is red and stops at the first of them, and the next deploy repairs it', async () => {
      const before = await containers(namespace);
      const refused = await deploy({ ...given, 'server-config': '{"recursors": ["a:b:c"]}' });
      expectRed(refused, 'invalid-config');
      expect(refused.report?.failure).toMatchObject({
        where: 'Pod/consul-server-2',
        what: expect.stringContaining('Invalid recursor address'),
      });
      expect(refused.report?.left).toContain(
        'ConfigMap/consul-server-config has a configuration that agents',
      );
      expect(await logLevels(namespace)).toEqual(['INFO', 'error', 'error', 'error']);
      const repaired = await deploy(given);
      expect(repaired.code, repaired.log).toBe(0);
      expect(await logLevels(namespace)).toEqual(['INFO', 'INFO', 'INFO', 'INFO']);
      expect(await containers(namespace)).toEqual(before);
    });
  });

  describe('in a setting that agents read only when they start', () => {
    const setting = (seconds: number) => {
      const config = JSON.stringify({ session_ttl_min: `${seconds}s` });
      return { ...given, 'server-config': config, 'client-config': config };
    };

    it('every agent starts again in its pod, one server at a time and the leader last, and nothing is lost', async () => {
      const before = [await containers(namespace), await leadership(namespace)] as const;
      // An agent that starts would not ask it again for up to half an hour.
      const Check = { HTTP: 'http://127.0.0.1:8500/v1/status/leader', Interval: '30m', Status: 'passing' };
      await register(await address(namespace, 'consul-client-0'), { Name: 'asked', Check });
      const { value, traffic } = await underTraffic({ namespace, prefix: 'restart' }, () =>
        deploy(setting(11)),
      );
      expect(value.code, value.log).toBe(0);
      expect(consequences(value)).toEqual({
        'ConfigMap/consul-client-config': 'restarts',
        'ConfigMap/consul-server-config': 'restarts',
      });
      expect(await containers(namespace)).toEqual(before[0]);
      expect(await shortestSessions(namespace)).toEqual(['11s', '11s', '11s', '11s']);
      await expectUnnoticed(traffic);
      // A server that is about to stop sends whoever writes to another one.
      const log = await kubectl('-n', namespace, 'logs', 'consul-client-0', '-c', 'consul');
      expect(log).toMatch(/Retrying RPC to server: method=KVS\.Apply .*against a different server/);
      const after = await leadership(namespace);
      expect(handOvers(value)).toEqual([{ from: before[1].leader, to: after.leader }]);
      expect(after.term - before[1].term, value.log).toBe(1);
      expect(restartedIn(value).at(2), value.log).toBe(before[1].leader);
      expect(await heldService(namespace)).toBe('passing');
      expect(await heldService(namespace, 'asked')).toBe('passing');
    });

    it('a deploy is killed in the middle, and the next one restarts those that are left', async () => {
      const before = await containers(namespace);
      const killed = await killedAt(setting(12), 'was restarted in');
      expect(killed.code).not.toBe(0);
      const [done = ''] = restartedIn(killed);
      const next = await deploy(setting(12));
      expect(next.code, next.log).toBe(0);
      expect(restartedIn(next), next.log).not.toContain(done);
      expect(await shortestSessions(namespace)).toEqual(['12s', '12s', '12s', '12s']);
      const again = await deploy(setting(12));
      expect(again.code, again.log).toBe(0);
      expect(again.outputs.changed).toBe('false');
      expect(restartedIn(again)).toEqual([]);
      expect(await containers(namespace)).toEqual(before);
    });

    it('one that an agent refuses is red and stops at the first of them, and the next deploy repairs it', async () => {
      const refused = await deploy({ ...setting(12), 'server-config': '{"nonsense_key": true}' });
      expectRed(refused, 'invalid-config');
      expect(refused.report?.failure?.what).toContain('invalid config key nonsense_key');
      expect(refused.report?.left).toContain('0 of 3 servers run with the new configuration');
      const ready = await pods(namespace, 'server');
      expect(ready.filter(isReady)).toHaveLength(2);
      const repaired = await deploy(given);
      expect(repaired.code, repaired.log).toBe(0);
      expect(await shortestSessions(namespace)).toEqual(['0s', '0s', '0s', '0s']);
    });
  });

  it('one server at a time, each of which leads no more when it stops, and nothing is lost', async () => {
    const before = await leadership(namespace);
    const { value, traffic } = await underTraffic({ namespace, prefix: 'walk' }, () =>
      deploy(podsOf('once')),
    );
    expect(value.code, value.log).toBe(0);
    expectReplaced(value, WALKED);
    await expectUnnoticed(traffic);
    // Each term has one leader: as many terms as hand-overs, so there was no election that nobody had asked for.
    const after = await leadership(namespace);
    const given = handOvers(value);
    expect(given.length, value.log).toBeGreaterThan(0);
    expect(given.length, value.log).toBeLessThan(3);
    expect(after.term - before.term, value.log).toBe(given.length);
    expect(given[0]?.from).toBe(before.leader);
    expect(given.at(-1)?.to).toBe(after.leader);
    // To the last in the order, and from there to one that has the change.
    expect(given.at(-1)?.from).toBe('consul-server-0');
  });

  it('a deploy is killed in the middle, and the next one finishes it', async () => {
    const { value, traffic } = await underTraffic({ namespace, prefix: 'killed' }, async () => {
      const killed = await killedAt(podsOf('twice'), 'consul-server-1 takes the new revision');
      expect(killed.code).not.toBe(0);
      return deploy(podsOf('twice'));
    });
    expect(value.code, value.log).toBe(0);
    await expectUnnoticed(traffic);
    expect((await leadership(namespace)).leader).not.toBe('');
    const again = await deploy(podsOf('twice'));
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
  });

  describe('by somebody else than a deploy', () => {
    it('a rollout restart: each server hands over before it stops, and nothing is lost', async () => {
      const before = await leadership(namespace);
      const { traffic } = await underTraffic({ namespace, prefix: 'rollout' }, async () => {
        const servers = 'statefulset/consul-server';
        await kubectl('-n', namespace, 'rollout', 'restart', servers);
        await kubectl('-n', namespace, 'rollout', 'status', servers, '--timeout=240s');
      });
      await expectHandedOver(traffic);
      const terms = (await leadership(namespace)).term - before.term;
      expect(terms).toBeGreaterThan(0);
      // Each server stops once, so it hands over once at the most.
      expect(terms).toBeLessThanOrEqual(3);
    });

    it('the leader is evicted, hands over, and comes back', async () => {
      const { leader, term } = await leadership(namespace);
      const [evicted] = (await pods(namespace, 'server')).filter(({ metadata }) => metadata.name === leader);
      const { traffic } = await underTraffic({ namespace, prefix: 'evicted' }, async () => {
        const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: leader, namespace } };
        const path = `/api/v1/namespaces/${namespace}/pods/${leader}/eviction`;
        await kubectlFed(JSON.stringify(eviction), 'create', '--raw', path, '-f', '-');
        await eventually(`${leader} to be ready again`, 120_000, async () =>
          (await pods(namespace, 'server')).some(
            (pod) =>
              pod.metadata.name === leader && pod.metadata.uid !== evicted?.metadata.uid && isReady(pod),
          )
            ? true
            : undefined,
        );
      });
      await expectHandedOver(traffic);
      const after = await leadership(namespace);
      expect(after.leader).not.toBe(leader);
      expect(after.term).toBe(term + 1);
    });
  });
});

/** Shorter than Raft waits for a leader of which it hears nothing more: two of these at the least, 5 s each. */
const ELECTION_MS = 5_000;

async function expectHandedOver(traffic: Traffic): Promise<void> {
  await expectUnnoticed(traffic);
  expect(traffic.quorum.longestWithoutLeaderMs).toBeLessThan(ELECTION_MS);
}

interface Running {
  Logging: { LogLevel: string };
  SessionTTLMin: string;
}

/** Of the client, then of each server, as the agents say themselves. */
async function running(namespace: string): Promise<Running[]> {
  const found = await pods(namespace);
  const sorted = found.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  return Promise.all(
    sorted.map(async ({ status: { podIP = '' } }) => {
      const self = await consul<{ DebugConfig: Running }>(podIP, '/v1/agent/self');
      return self.DebugConfig;
    }),
  );
}

async function logLevels(namespace: string): Promise<string[]> {
  return (await running(namespace)).map(({ Logging: { LogLevel } }) => LogLevel);
}

async function shortestSessions(namespace: string): Promise<string[]> {
  return (await running(namespace)).map(({ SessionTTLMin }) => SessionTTLMin);
}
