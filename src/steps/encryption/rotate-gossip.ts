import type { ConsulClient } from '../../consul/client.ts';
import type { ConsulError } from '../../consul/failure.ts';
import {
  changeKeyring,
  type GossipRing,
  gossipRings,
  isPartial,
  otherDatacenters,
} from '../../consul/gossip/keyring.ts';
import { Failure } from '../../failure.ts';
import type { GossipFiles } from '../../manifests/gossip.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import { AnyServer } from '../../session/any-server.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { type EncryptionTools, EncryptionWatch } from './encryption-watch.ts';
import { gossipFilesAt, newKey, writeGossipFiles } from './gossip-secret.ts';
import { PodFiles } from './in-pods/pod-files.ts';
import { orGone } from './in-pods/reload-agents.ts';
import { refuseOutsideAgents, strangersAmong } from './outside.ts';
import type { GossipGoal } from './settle-gossip.ts';

const AGAIN_MS = 500;
/** An agent that is away is away: nothing is rotated without it. */
const THERE_MS = 30_000;
/** Of one question about the keyring, which takes long where an agent does not answer. */
const LIMIT_MS = 120_000;

/** So long a step may take once all have been asked for it: within seconds every agent has made it. */
const STEP_MS = 120_000;

/** How often the files change until only the new key is left, of which the last time is not waited for. */
const CHANGES = { add: 2, use: 1, remove: 0 };

/**
 * Gives all agents another key while they run. At every moment an agent that starts finds keys with which it understands
 * the others: so each step begins only when every pod has the files of the one before, and every agent was seen to have gone
 * along. Within a step files and keyrings change at the same time.
 *
 * | the Secret has | agents that run |
 * |---|---|
 * | old, new | have the new key as well |
 * | new, old | encrypt with the new key |
 * | new | have only the new key |
 */
export async function rotateGossip(
  run: Run,
  files: GossipFiles | undefined,
  { goal, key, isNew }: GossipGoal,
  tools: EncryptionTools,
): Promise<void> {
  const isAsked = run.config.rotate.includes('gossip');
  if (goal !== 'strict' || !files || (isNew && !files.rotation)) return;
  if (!isAsked && !files.rotation) return;
  if (!files.rotation && key !== undefined && files.keys[0] === key) {
    run.log.info('gossip: the agents have the key of `gossip-key-secret` already');
    return;
  }
  const watch = new EncryptionWatch(run, tools, 'gossip');
  const last = files.revision + (files.rotation ? CHANGES[files.rotation] : 3);
  const pods = new PodFiles(run, tools, { ...gossipFilesAt(run.config, files), last });
  try {
    await run.phase('encrypt', 'Rotate the key of gossip', () =>
      new Rotation(run, tools, { watch, pods }, files).all(key),
    );
  } finally {
    watch.close();
    pods.close();
  }
}

interface Step {
  /** May be repeated. */
  change: () => Promise<void>;
  holds: (ring: GossipRing) => boolean;
}

class Rotation {
  readonly #run: Run;
  readonly #tools: EncryptionTools;
  readonly #watch: EncryptionWatch;
  readonly #pods: PodFiles;
  readonly #servers: AnyServer;
  #files: GossipFiles;

  constructor(
    run: Run,
    tools: EncryptionTools,
    { watch, pods }: { watch: EncryptionWatch; pods: PodFiles },
    files: GossipFiles,
  ) {
    this.#run = run;
    this.#tools = tools;
    this.#watch = watch;
    this.#pods = pods;
    this.#servers = new AnyServer(run, tools.workloads, tools.agents);
    this.#files = files;
  }

  async all(given: string | undefined): Promise<void> {
    const run = this.#run;
    await this.#tools.workloads.untilSynced(run.signal);
    this.#pods.follow(this.#watch.pods());
    await this.#watch.untilAllAreThere(THERE_MS);
    await refuseOutsideAgents(run, this.#tools, 'gossip');
    onlyOneDatacenter(run, await this.#rings());
    run.known.left = { is: 'rotating-key' };
    if (!this.#files.rotation) {
      const [old = ''] = this.#files.keys;
      await this.#write({ keys: [old, given ?? newKey(this.#tools.cluster)], rotation: 'add' });
    }
    if (this.#files.rotation === 'add') {
      const [old = '', next = ''] = this.#files.keys;
      await this.#step('every agent has the new key', {
        change: () => this.#change('install', next),
        holds: ({ keys, agents }) => keys[next] === agents,
      });
      await this.#write({ keys: [next, old], rotation: 'use' });
    }
    if (this.#files.rotation === 'use') {
      const [next = ''] = this.#files.keys;
      await this.#step('every agent encrypts with the new key', {
        change: () => this.#change('use', next),
        holds: ({ primary, agents }) => primary[next] === agents,
      });
      await this.#write({ keys: [next], rotation: 'remove' });
    }
    const [key = ''] = this.#files.keys;
    await this.#step('no agent has another key', {
      change: () => this.#removeOthers(key),
      holds: ({ keys }) => Object.keys(keys).every((one) => one === key),
    });
    await this.#write({ keys: this.#files.keys });
    run.log.info('gossip: every agent has the new key, and no other');
  }

  async #removeOthers(key: string): Promise<void> {
    const others = new Set((await this.#rings()).flatMap(({ keys }) => Object.keys(keys)));
    others.delete(key);
    for (const other of others) await this.#change('remove', other);
  }

  /** Files and keyrings change; then the rings are asked, and an agent that has started with older files is taken along. */
  async #step(what: string, { change, holds }: Step): Promise<void> {
    await allOrFirst(this.#run, [this.#untilFiles(), change()]);
    const until = performance.now() + STEP_MS;
    for (;;) {
      const state = await this.#stateOf(holds);
      if (state === 'holds') break;
      if (performance.now() > until) {
        const { evidence } = await this.#watch.look();
        throw stuck(what, state, strangersAmong(evidence, this.#watch.pods()));
      }
      this.#run.log.progress(`gossip waits until ${what}`, 'gossip');
      await pause(AGAIN_MS, this.#run.signal);
      if (state === 'lacks') await change();
    }
    this.#run.log.info(`gossip: ${what}`);
  }

  async #write(change: Pick<GossipFiles, 'keys' | 'rotation'>): Promise<void> {
    const { state, goal, revision } = this.#files;
    this.#files = { ...change, state, goal, revision: revision + 1 };
    await writeGossipFiles(this.#run, this.#tools.cluster, this.#files);
  }

  /** Until every agent would find these keys if it started now; whoever comes after that finds them, too. */
  async #untilFiles(): Promise<void> {
    await this.#pods.ofAll(this.#watch.pods(), this.#files.revision, (pod, wait) =>
      orGone(this.#run, this.#tools, pod, wait),
    );
  }

  async #change(what: 'install' | 'use' | 'remove', key: string): Promise<void> {
    await this.#ask((server, signal) => changeKeyring(server, what, key, signal));
  }

  async #rings(): Promise<GossipRing[]> {
    return this.#ask(gossipRings);
  }

  /** Again while not all agents answer. Each of these calls may be repeated. */
  async #ask<T>(ask: (server: ConsulClient, signal: AbortSignal) => Promise<T>): Promise<T> {
    const until = performance.now() + LIMIT_MS;
    for (;;) {
      try {
        return await this.#servers.ask(ask, LIMIT_MS);
      } catch (error) {
        if (!isPartial(error)) throw error;
        if (performance.now() > until) throw silent(error);
        this.#run.log.progress(`gossip waits: ${error.text}`, 'gossip');
      }
      await pause(AGAIN_MS, this.#run.signal);
    }
  }

  /** Of every ring; as many agents as there are have to be in it, or what some of them have is not known. */
  async #stateOf(holds: Step['holds']): Promise<'holds' | 'lacks' | 'unknown'> {
    const { workloads } = this.#tools;
    const [servers, all] = [workloads.pods('server').length, this.#watch.pods().length];
    const rings = await this.#rings();
    if (rings.some(({ wan, agents }) => agents !== (wan ? servers : all))) return 'unknown';
    return rings.every(holds) ? 'holds' : 'lacks';
  }
}

function silent(error: ConsulError): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the key of gossip cannot be changed, since not all agents answer: ${error.text}`,
    where: error.agent,
    hint: `That was tried for ${LIMIT_MS / 1000} s. Look at the agents that it names, and deploy again: the next run goes on from there.`,
    cause: error,
  });
}

function stuck(what: string, state: 'lacks' | 'unknown', strangers: readonly string[]): Failure {
  const why = state === 'lacks' ? 'some lack it' : 'other agents answer than there are pods';
  return new Failure({
    reason: 'stalled',
    what: `the key of gossip is not changed, since it was not seen that ${what}: ${why}`,
    where: 'the members of the cluster',
    hint: `That was waited for for ${STEP_MS / 1000} s. All agents understand each other. Bring the agents back that are missing, take those out that are no pods, and deploy again: the next run goes on from there.`,
    details: strangers,
  });
}

/** Consul gives the key to every datacenter that it knows. */
function onlyOneDatacenter(run: Run, rings: readonly GossipRing[]): void {
  const { datacenter } = run.config;
  const others = otherDatacenters(rings, datacenter);
  if (others.length === 0) return;
  throw new Failure({
    reason: 'gossip-key',
    what: `the key of gossip is not rotated, since ${others.join(', ')} has it, too`,
    where: `datacenter ${datacenter}`,
    hint: 'Nothing was changed. Consul would give the new key to the agents of all datacenters, and their Secrets would not have it. Rotate with `consul keyring`, and change the Secret of each.',
  });
}
