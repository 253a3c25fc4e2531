import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bed } from '../bed/bed.ts';
import { consul } from '../consul/consul.ts';
import {
  eventually,
  kubectl,
  namespaceName,
  type Pod,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';

/** Long enough for several elections: with this timing of Raft one takes two seconds at most. */
const LOOKED_AT_MS = 15_000;
const NO_GUARD = JSON.stringify([
  {
    target: { kind: 'StatefulSet', name: 'consul-server' },
    operations: [{ op: 'remove', path: '/spec/template/spec/containers/0/command' }],
  },
]);

/** Three servers, one on each node, of which one loses its data at the worst moment. */
class Cluster {
  readonly namespace: string;
  readonly #patches: string;
  readonly key = `kept/${randomUUID()}`;

  constructor(scenario: string, patches: string) {
    this.namespace = namespaceName(scenario);
    this.#patches = patches;
  }

  async deploy(): Promise<void> {
    const outcome = await deploy(this.#inputs());
    expect(outcome.code, outcome.log).toBe(0);
  }

  verify(timeout: string) {
    return deploy({ ...this.#inputs(), mode: 'verify', timeout });
  }

  #inputs(): Record<string, string> {
    const shape = { 'server-storage': '1Gi', clients: 'none', 'server-addresses': 'service' };
    // It is about Raft; and the start script that is left out is what gives an agent its key.
    const plain = { 'gossip-encryption': 'false', tls: 'false' };
    return {
      ...{ namespace: this.namespace, 'stable-for': '0s', timeout: '4m', patches: this.#patches },
      ...shape,
      ...plain,
    };
  }

  async on(node: string): Promise<{ name: string; ip: string }> {
    const found = (await pods(this.namespace, 'server')).find(({ spec }: Pod) => spec.nodeName === node);
    return { name: found?.metadata.name ?? '', ip: found?.status.podIP ?? '' };
  }

  /** The server on this node leads from then on. */
  async ledFrom(node: string): Promise<void> {
    const { name, ip } = await this.on(node);
    const { Servers } = await consul<{ Servers: { ID: string; Node: string; Leader: boolean }[] }>(
      ip,
      '/v1/operator/raft/configuration',
    );
    const server = Servers.find((one) => one.Node === name);
    if (!server?.Leader) {
      await fetch(`http://${ip}:8500/v1/operator/raft/transfer-leader?id=${server?.ID}`, { method: 'POST' });
    }
    await eventually(`${name} leads`, 20_000, async () => {
      const view = await consul<{ Servers: { Node: string; Leader: boolean }[] }>(
        ip,
        '/v1/operator/raft/configuration?stale',
      );
      return view.Servers.find(({ Leader }) => Leader)?.Node === name ? true : undefined;
    });
  }

  async write(ip: string): Promise<void> {
    const put = () =>
      consul<boolean>(ip, `/v1/kv/${this.key}`, { method: 'PUT', body: 'value' }).catch(() => undefined);
    await eventually('the key is acknowledged', 20_000, put);
  }

  /** What a server itself has of the key; undefined where it has none. */
  async read(ip: string): Promise<string | undefined> {
    const response = await fetch(`http://${ip}:8500/v1/kv/${this.key}?raw&stale`, {
      signal: AbortSignal.timeout(5_000),
    });
    return response.status === 200 ? response.text() : undefined;
  }

  async loseVolume(server: string): Promise<void> {
    const k = (...words: string[]) => kubectl('-n', this.namespace, ...words);
    await k('delete', 'pvc', `data-${server}`, '--wait=false');
    await k('delete', 'pod', server, '--wait=false');
  }

  leaderAt(ip: string): Promise<string> {
    return consul<string>(ip, '/v1/status/leader').catch(() => '');
  }
}

describe.skipIf(!bed)(
  'a server has lost its volume, the leader dies, and one that was cut off comes back',
  () => {
    const guarded = new Cluster('wiped', '');
    const bare = new Cluster('wiped-bare', NO_GUARD);
    const both = [guarded, bare];
    const [leading, wiped, behind] = ['n1', 'n2', 'n3'] as const;
    const names = new Map<
      Cluster,
      { leader: { name: string; ip: string }; late: { name: string; ip: string } }
    >();

    beforeAll(async () => {
      await Promise.all(both.map((cluster) => cluster.deploy()));
      for (const cluster of both) {
        await cluster.ledFrom(leading);
        names.set(cluster, { leader: await cluster.on(leading), late: await cluster.on(behind) });
      }
      await bed?.fault('partition-node', behind.slice(1));
      await Promise.all(both.map((cluster) => cluster.write(names.get(cluster)?.leader.ip ?? '')));
      // Dead before the empty one comes: it would bring that up to date.
      await bed?.fault('crash-node', leading.slice(1));
      await Promise.all(both.map(async (cluster) => cluster.loseVolume((await cluster.on(wiped)).name)));
      // The one without a guard is there again, and empty; the other says that it is held back.
      await eventually('both are back', 60_000, async () => {
        const { ip } = await bare.on(wiped);
        const peers =
          ip === ''
            ? undefined
            : await consul<string[] | null>(ip, '/v1/status/peers').catch(() => undefined);
        const isEmpty = peers !== undefined && (peers?.length ?? 0) === 0;
        return isEmpty && (await heldLog(guarded, wiped)).includes('not started') ? true : undefined;
      });
      await bed?.fault('heal-node', behind.slice(1));
    });
    afterAll(async () => {
      await bed?.fault('heal-node', behind.slice(1)).catch(() => undefined);
      await bed?.fault('return-node', leading.slice(1)).catch(() => undefined);
      await Promise.all(both.map(({ namespace }) => removeNamespace(namespace)));
    });

    it('without the guard it votes in the name of the lost one: one server alone is elected by it', async () => {
      const ip = names.get(bare)?.late.ip ?? '';
      const leader = await eventually(
        'somebody leads',
        60_000,
        async () => (await bare.leaderAt(ip)) || undefined,
      );
      expect(leader).not.toBe('');
    });

    it('with the guard nobody is elected, and the server that waits says why', async () => {
      const { late } = names.get(guarded) ?? { late: { name: '', ip: '' } };
      await eventually(`${late.name} is asked by the guard`, 60_000, async () =>
        new RegExp(`${late.name} still count`).test(await heldLog(guarded, wiped)) ? true : undefined,
      );
      const since = Date.now();
      await eventually('the time is over', LOOKED_AT_MS * 2, async () => {
        expect(await guarded.leaderAt(late.ip)).toBe('');
        return Date.now() - since > LOOKED_AT_MS ? true : undefined;
      });
    });

    it('and with the old leader back all are whole, and the key is on every server', async () => {
      await bed?.fault('return-node', leading.slice(1));
      await eventually('every server has the key', 120_000, async () => {
        const found = await pods(guarded.namespace, 'server');
        const values = await Promise.all(
          found.map(({ status }) => guarded.read(status.podIP ?? '').catch(() => undefined)),
        );
        return values.length === 3 && values.every((value) => value === 'value') ? true : undefined;
      });
      const outcome = await guarded.verify('3m');
      expect(outcome.code, outcome.log).toBe(0);
    });
  },
);

/** What the server on this node has said since it started. */
async function heldLog(cluster: Cluster, node: string): Promise<string> {
  const { name } = await cluster.on(node);
  return kubectl('-n', cluster.namespace, 'logs', name, '-c', 'consul').catch(() => '');
}
