import { describe, expect, it } from 'vitest';
import { consul } from '../consul/consul.ts';
import { eventually, kubectl, kubectlJson, pods, versions } from '../kubernetes/cluster.ts';
import { deploy, start } from '../run/action.ts';
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
  within,
} from '../run/scenario.ts';
import { inputsOf, OF_CLIENTS, OF_SERVERS } from './catalogue.ts';

describe.concurrent('clients with', () => {
  it.each(OF_CLIENTS)('$name', (fault) =>
    within(fault.scenario, async (namespace) => {
      const outcome = await deploy({ ...ONE_SERVER, namespace, ...inputsOf(fault) });
      expectTold(outcome, fault.reason, fault.told);
      if (fault.evidence) expect(outcome.summary).toContain(fault.evidence);
      // It is their trouble alone, though it was told before the server was through.
      await eventually('the server to be ready', 30_000, async () =>
        (await readyNames(namespace)).includes('consul-server-0') ? true : undefined,
      );
    })(),
  );
});

describe.concurrent('servers with', () => {
  it.each(OF_SERVERS)('$name', (fault) =>
    within(fault.scenario, async (namespace) => {
      const outcome = await deploy({ ...SMALL, namespace, ...inputsOf(fault) });
      expectTold(outcome, fault.reason, fault.told);
      if (!fault.said) return;
      // The very words of the agent, not a guess.
      const where = outcome.report?.failure?.where ?? '';
      // Between two starts the kubelet may have no log to give.
      await eventually(`the log of ${where} to say ${fault.told.what}`, 60_000, async () => {
        for (const which of ['--previous', '--previous=false']) {
          const log = await kubectl('-n', namespace, 'logs', where, which).catch(() => '');
          if (log.includes(String(fault.told.what))) return true;
        }
        return undefined;
      });
    })(),
  );
});

const NAMES = ['consul-server-0', 'consul-server-1', 'consul-server-2'];

describe.concurrent('a cluster that worked before', () => {
  it(
    'and whose servers but one have lost their data',
    within('lost', async (namespace) => {
      const first = await deploy({ ...SMALL, namespace });
      expect(first.code, first.log).toBe(0);
      // As two nodes that are gone take them along: no goodbye.
      const gone = ['consul-server-1', 'consul-server-2', '--grace-period=0', '--force'];
      await kubectl('-n', namespace, 'delete', 'pods', ...gone);

      const outcome = await deploy({ ...SMALL, namespace });
      expectTold(outcome, 'no-leader', {
        what: /no leader: .*needs 2 votes of 3; votes that no server here has: .*:8300, .*:8300$/,
        hint: '`from: survivor`',
      });
      expect(outcome.summary).toContain('consul-server-0 knows no leader; sees consul-server-0');
      // Nothing was made worse: the one that has the data still has it.
      const ip = await address(namespace, 'consul-server-0');
      const { Servers } = await consul<{ Servers: object[] }>(ip, '/v1/operator/raft/configuration?stale');
      expect(Servers).toHaveLength(3);
    }),
  );

  it(
    'and whose servers were all replaced, so that no client knows one',
    within('replaced', async (namespace) => {
      // Our own probe, or the run itself, would lead them back.
      const operations = [{ op: 'remove', path: `${CONTAINER}/livenessProbe` }];
      const inputs = {
        ...SMALL,
        namespace,
        patches: JSON.stringify([{ target: CLIENTS, operations }]),
        'client-config': '{"retry_join":["nowhere.invalid"]}',
      };
      const first = await deploy(inputs);
      expect(first.code, first.log).toBe(0);
      const before = await Promise.all(NAMES.map((name) => address(namespace, name)));
      await kubectl('-n', namespace, 'delete', 'pods', ...NAMES, '--grace-period=0', '--force');

      const outcome = await deploy(inputs);
      expectTold(outcome, 'outside', {
        what: /2 pods \(consul-client-0, consul-client-1\): its agent has not joined the servers/,
        where: 'Pod/consul-client-0',
        hint: 'retry_join',
      });
      expect(await readyNames(namespace)).toEqual(NAMES);
      const now = await Promise.all(NAMES.map((name) => address(namespace, name)));
      expect(now.filter((ip) => before.includes(ip))).toEqual([]);
      const client = await fetch(
        `http://${await address(namespace, 'consul-client-0')}:8500/v1/status/leader`,
      );
      expect(await client.text()).toContain('No known Consul servers');
    }),
  );

  it(
    'and of which a field is to change that cannot',
    within('immutable', async (namespace) => {
      const first = await deploy({
        ...ONE_SERVER,
        namespace,
        clients: 'none',
        'client-replicas': '',
      });
      expect(first.code, first.log).toBe(0);
      const before = await versions(namespace);
      const outcome = await deploy({
        ...ONE_SERVER,
        namespace,
        clients: 'none',
        'client-replicas': '',
        'server-storage': '1Gi',
      });
      expectRed(outcome, 'immutable-field');
      expect(outcome.report?.failure?.where).toContain('consul-server');
      expect(outcome.report?.left).toBe('Nothing was changed.');
      expect(await versions(namespace)).toEqual(before);
    }),
  );
});

/** The term of Raft, by the word of the server at this address. */
async function termAt(ip: string): Promise<number> {
  const { Stats } = await consul<{ Stats: { raft: { term: string } } }>(ip, '/v1/agent/self');
  return Number(Stats.raft.term);
}

describe.concurrent('no false alarm', () => {
  it(
    'clients that end twice and then work',
    within('twice', async (namespace) => {
      const script = `
      echo x >>/consul/data/starts
      [ "$(wc -l </consul/data/starts)" -gt 2 ] || exit 1`;
      const outcome = await deploy({
        ...ONE_SERVER,
        namespace,
        patches: JSON.stringify([meddle(CLIENTS, script)]),
      });
      expect(outcome.code, outcome.log).toBe(0);
      const clients = await pods(namespace, 'client');
      expect(clients.map(({ status }) => status.containerStatuses?.[0]?.restartCount)).toEqual([2, 2]);
    }),
  );

  it(
    'another server is elected in the middle',
    within('election', async (namespace) => {
      const patches = JSON.stringify([meddle(CLIENTS, 'sleep 12')]);
      const running = start({ ...SMALL, namespace, patches, 'stable-for': '5s' });
      // The others have to be voters, and to have caught up: until then a leader refuses to hand over.
      const before = await eventually('a leader that hands over', 60_000, async () => {
        try {
          const ip = await address(namespace, 'consul-server-0');
          const named = (await consul<string>(ip, '/v1/status/leader')).replace(/:8300$/, '');
          const term = await termAt(named);
          const url = `http://${named}:8500/v1/operator/raft/transfer-leader`;
          const answer = await fetch(url, { method: 'POST' });
          return answer.ok ? term : undefined;
        } catch {
          return undefined;
        }
      });
      const outcome = await running.outcome;
      expect(outcome.code, outcome.log).toBe(0);
      // Not who leads: the lead may have come back.
      expect(await termAt(await address(namespace, 'consul-server-0'))).toBeGreaterThan(before);
    }),
  );

  it(
    'agents that take their time to start, within their startup probe',
    within('slow', async (namespace) => {
      const patches = JSON.stringify([meddle(SERVERS, 'sleep 20'), meddle(CLIENTS, 'sleep 50')]);
      const outcome = await deploy({ ...ONE_SERVER, namespace, patches });
      expect(outcome.code, outcome.log).toBe(0);
      expect(outcome.report?.durationMs).toBeGreaterThan(50_000);
    }),
  );

  it(
    'clients of the revision before that end again and again, while the new ones come up',
    within('old-revision', async (namespace) => {
      const broken = JSON.stringify([meddle(CLIENTS, 'exit 4')]);
      const first = await deploy({ ...ONE_SERVER, namespace, patches: broken });
      expectTold(first, 'crash', { what: 'exit code 4', hint: 'log' });
      const before = await kubectlJson<{
        items: { status: { containerStatuses: { restartCount: number }[] } }[];
      }>('-n', namespace, 'get', 'pods', '-l=consul-role=client');
      expect(before.items.map(({ status }) => status.containerStatuses[0]?.restartCount ?? 0)).not.toContain(
        0,
      );

      const outcome = await deploy({ ...ONE_SERVER, namespace });
      expect(outcome.code, outcome.log).toBe(0);
      expect(await readyNames(namespace)).toHaveLength(3);
    }),
  );
});
