import { expect } from 'vitest';
import { consul, members, type RaftServer } from '../consul/consul.ts';
import { eventually, isReady, kubectl, type Pod, pods, serviceAddresses } from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { underLoad } from '../traffic/store-load.ts';

export const SERVER_NAMES = ['consul-server-0', 'consul-server-1', 'consul-server-2'];
export const CLIENT_NAMES = Array.from({ length: 10 }, (_, ordinal) => `consul-client-${ordinal}`);
const AGENTS = [...SERVER_NAMES, ...CLIENT_NAMES].sort();

/**
 * Longer than the slowest thing that heals by itself: an agent that slept finds all others dead, one after the other and
 * ever slower (Serf's health score); then it holds their names for 30 s, and its liveness probe comes every 30 s.
 */
const HEAL_MS = 240_000;

interface Self {
  Stats: { raft: { state: string } };
}

/** What a fault itself restarts: how often the container of which pod (by its uid). */
export type Restarts = Map<string, number>;

/**
 * A cluster that the action deployed once and that is left alone from then on. Consul is asked at the addresses of the
 * pods, Kubernetes by kubectl.
 */
export class Survivor {
  readonly namespace: string;
  /** How often the container of each pod was restarted, as far as the faults so far explain it. */
  private readonly explained: Restarts = new Map();
  /** Every write that a server has acknowledged, during all faults so far. */
  private readonly written = new Map<string, string>();
  /** What each fault took to be healed, from the moment it was made or repaired. */
  readonly healedMs: Record<string, number> = {};

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  async deploy(inputs: Record<string, string> = {}): Promise<void> {
    const { namespace } = this;
    const outcome = await deploy({
      namespace,
      timeout: '4m',
      'stable-for': '2s',
      'server-storage': '1Gi',
      ...inputs,
    });
    expect(outcome.code, outcome.log).toBe(0);
    await this.expectNoOtherRestart();
  }

  /**
   * Makes the fault while an application writes, and waits until everything is as it was: 13 agents alive in the eyes
   * of every server, three voters, all writes there, and no container restarted but by the fault itself.
   * @param mayEnd clients whose probe may have ended them, once: nothing else helps one that was outvoted by gossip
   */
  async survives(
    fault: string,
    make: () => Promise<Restarts | undefined>,
    { mayEnd = [] }: { mayEnd?: readonly string[] } = {},
  ): Promise<void> {
    const prefix = fault.replaceAll(' ', '-');
    const { load } = await underLoad(
      this.namespace,
      async () => {
        for (const [uid, count] of (await make()) ?? []) {
          this.explained.set(uid, (this.explained.get(uid) ?? 0) + count);
        }
        const since = performance.now();
        await this.whole();
        this.healedMs[fault] = Math.round(performance.now() - since);
      },
      prefix,
    );
    expect(load.written.size).toBeGreaterThan(0);
    for (const [key, written] of load.written) this.written.set(key, written);
    await this.expectAllWritten();
    await this.explainEnded(mayEnd);
    await this.expectNoOtherRestart();
    // Where a bench or a person reads it; a test asserts no time.
    console.log(
      `${this.namespace}: ${fault}: whole after ${this.healedMs[fault]} ms; ${load.written.size} writes, longest gap ${Math.round(load.writeGapMs)} ms`,
    );
  }

  private async whole(): Promise<void> {
    let lack = '';
    await eventually('13 of 13 agents and three voters', HEAL_MS, async () => {
      lack = await lackOf(this.namespace).catch((error: unknown) => String(error));
      return lack === '' ? true : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${this.namespace} has not healed: ${lack}`, { cause: error });
    });
  }

  private async expectAllWritten(): Promise<void> {
    for (const { status } of await pods(this.namespace, 'server')) {
      // A follower may lag behind, and one that has just started holds nothing until the leader told it how far to go.
      await eventually(`all ${this.written.size} writes at ${status.podIP}`, 20_000, async () => {
        const found = await stored(status.podIP ?? '').catch(() => new Map<string, string>());
        return [...this.written].every(([key, value]) => found.get(key) === value) ? true : undefined;
      });
    }
  }

  private async explainEnded(names: readonly string[]): Promise<void> {
    for (const { metadata, status } of await pods(this.namespace)) {
      const count = status.containerStatuses?.[0]?.restartCount ?? 0;
      if (names.includes(metadata.name) && count === (this.explained.get(metadata.uid) ?? 0) + 1) {
        this.explained.set(metadata.uid, count);
      }
    }
  }

  private async expectNoOtherRestart(): Promise<void> {
    const found = await pods(this.namespace);
    const told = (restarts: (pod: Pod) => number) =>
      Object.fromEntries(found.map((pod) => [`${pod.metadata.name} ${pod.metadata.uid}`, restarts(pod)]));
    const seen = told(({ status }) => status.containerStatuses?.[0]?.restartCount ?? 0);
    expect(seen).toEqual(told(({ metadata: { uid } }) => this.explained.get(uid) ?? 0));
  }

  /** Kubernetes sees it, too. */
  async ready(wanted = AGENTS.length): Promise<true> {
    return eventually(`${wanted} pods to be ready`, HEAL_MS, async () =>
      (await pods(this.namespace)).filter(isReady).length === wanted ? true : undefined,
    );
  }

  pod(name: string): Promise<Pod> {
    return eventually(`the pod ${name}`, 30_000, async () =>
      (await pods(this.namespace)).find(({ metadata }) => metadata.name === name),
    );
  }

  /** The server that leads, by its own word: one that was just killed gives none. */
  leader(): Promise<Pod> {
    return eventually('a leader', 60_000, async () => {
      for (const pod of await pods(this.namespace, 'server')) {
        const self = await consul<Self>(pod.status.podIP ?? '', '/v1/agent/self').catch(() => undefined);
        if (self?.Stats.raft.state === 'Leader') return pod;
      }
      return undefined;
    });
  }

  /** Takes a server's vote, as `consul operator raft remove-peer` does. */
  async remove(name: string): Promise<void> {
    const ip = (await this.leader()).status.podIP ?? '';
    const { Servers } = await consul<{ Servers: RaftServer[] }>(ip, '/v1/operator/raft/configuration');
    const id = Servers.find(({ Node }) => Node === name)?.ID;
    const answer = await fetch(`http://${ip}:8500/v1/operator/raft/peer?id=${id}`, { method: 'DELETE' });
    expect(answer.status, await answer.text()).toBe(200);
  }

  /** A shell in the pod's container. */
  async shell(pod: string, script: string): Promise<string> {
    return kubectl('-n', this.namespace, 'exec', pod, '--', '/bin/sh', '-c', script);
  }

  async delete(...names: string[]): Promise<undefined> {
    await kubectl('-n', this.namespace, 'delete', 'pods', ...names, '--wait=true');
    return undefined;
  }
}

/** All keys and values that the server at this address has in its own store. */
async function stored(ip: string): Promise<Map<string, string>> {
  const entries = await consul<{ Key: string; Value: string | null }[]>(ip, '/v1/kv/?recurse&stale');
  return new Map(entries.map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64').toString()]));
}

/** What is not as it should be; empty if nothing is. */
async function lackOf(namespace: string): Promise<string> {
  const found = (await pods(namespace)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const address = new Map(found.map(({ metadata, status }) => [metadata.name, status.podIP ?? '']));
  // What they tell others: servers the address of their Service.
  const services = await serviceAddresses(namespace);
  const told = new Map([
    ...address,
    ...SERVER_NAMES.map((name) => [name, services.get(name) ?? ''] as const),
  ]);
  // Asked themselves, and not Kubernetes, which takes a minute to hear of its pods when it was away itself.
  const known = await Promise.all(AGENTS.map((name) => knowsLeader(address.get(name) ?? '')));
  if (found.length !== AGENTS.length || known.includes(false)) {
    return `of ${found.length} agents these know no leader: ${AGENTS.filter((_, index) => !known[index])}`;
  }
  for (const server of SERVER_NAMES) {
    const ip = address.get(server) ?? '';
    const alive = (await members(ip)).filter(({ Status }) => Status === 1);
    const lost = AGENTS.filter(
      (name) => !alive.some(({ Name, Addr }) => Name === name && Addr === told.get(name)),
    );
    if (lost.length > 0 || alive.length !== AGENTS.length) {
      return `${server} sees ${alive.length} alive, not at their address: ${lost}`;
    }
    const { Servers } = await consul<{ Servers: RaftServer[] }>(ip, '/v1/operator/raft/configuration?stale');
    const voters = Servers.filter(({ Voter }) => Voter).map(({ Node, Address }) => `${Node} ${Address}`);
    const wanted = SERVER_NAMES.map((name) => `${name} ${told.get(name)}:8300`);
    if (Servers.length !== 3 || voters.sort().join() !== wanted.join()) {
      return `${server} sees these servers: ${JSON.stringify(Servers)}`;
    }
    const leaders = Servers.filter(({ Leader }) => Leader);
    if (leaders.length !== 1) return `${server} knows no leader`;
  }
  return '';
}

async function knowsLeader(ip: string): Promise<boolean> {
  return consul<string>(ip, '/v1/status/leader').then(
    (leader) => leader !== '',
    () => false,
  );
}
