import { Backoff } from '../consul/blocking-query.ts';
import { type Catalog, type Entry, readCatalog, readNodes } from '../consul/catalog.ts';
import type { ConsulClient } from '../consul/client.ts';
import { entryName, entryNames, type Fate, type Losses, lossesOf, sizeOf } from '../consul/conservation.ts';
import { isPassing } from '../consul/failure.ts';
import { Failure } from '../failure.ts';
import type { PlannedObject } from '../kubernetes/plan.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Agents } from './agents.ts';
import { isTakenAway } from './configured.ts';
import type { Run } from './run.ts';
import { ROLES, type Role, type Workloads } from './workloads.ts';

/** A cluster without a leader is perhaps what this deploy mends: it is not waited for. */
const BEFORE_MS = 30_000;
/** An agent compares all it holds with the catalog once a minute, in clusters of up to 128 nodes. */
const BACK_MS = 60_000;

const CHECK = {
  id: 'registrations',
  title: 'Registrations',
  group: 'clients',
} as const;

interface Before {
  catalog: Catalog;
  /** The agents of this cluster, by their names in the catalog. */
  agents: ReadonlyMap<string, { role: Role; pod: PodView }>;
}

/**
 * Compares the catalog before and after a change. Services and checks live at agents: what a change of their pods has
 * lost is gone without an error anywhere, until somebody misses it.
 */
export class Conservation {
  readonly #run: Run;
  readonly #workloads: Workloads;
  readonly #agents: Pick<Agents, 'client'>;
  readonly #planned: readonly PlannedObject[];
  /** By node, kind and id. */
  readonly #configured = new Set<string>();
  #before: Before | undefined;

  constructor(
    run: Run,
    workloads: Workloads,
    agents: Pick<Agents, 'client'>,
    planned: readonly PlannedObject[],
  ) {
    this.#run = run;
    this.#workloads = workloads;
    this.#agents = agents;
    this.#planned = planned;
  }

  /** What the catalog said before the first write; undefined where there was nobody to ask. */
  get catalog(): Catalog | undefined {
    return this.#before?.catalog;
  }

  /** An agent has it from a configuration file, and its successor has what stands there then. */
  configured(node: string, kind: Entry['kind'], id: string): void {
    this.#configured.add(JSON.stringify([node, kind, id]));
  }

  /** Before the first write. */
  async begin(): Promise<void> {
    const run = this.#run;
    await this.#workloads.untilSynced(run.signal);
    const pods = ROLES.flatMap((role) => this.#workloads.pods(role).map((pod) => ({ role, pod })));
    const servers = pods.filter(({ role }) => role === 'server').map(({ pod }) => pod);
    // There is no cluster yet.
    if (servers.length === 0) return;
    const limit = AbortSignal.timeout(BEFORE_MS);
    try {
      const server = this.#server();
      if (!server) return this.#skip('no server was ready');
      const signal = AbortSignal.any([run.signal, limit]);
      const { body: leader } = await server.get<string>('/v1/status/leader', { signal });
      if (leader === '') return this.#skip('there was no leader');
      const catalog = await readCatalog(server, signal);
      const agents = new Map(pods.map((one) => [this.#workloads.agentName(one.role, one.pod), one]));
      this.#before = { catalog, agents };
      run.log.info(`${sizeOf(catalog)} are in the catalog`);
    } catch (error) {
      run.signal.throwIfAborted();
      this.#skip(limit.aborted ? `no answer within ${BEFORE_MS / 1000} s` : Failure.from(error).what);
    }
  }

  /**
   * After the proof.
   * @throws Failure `registrations-lost` with all that does not come back
   */
  async end(): Promise<void> {
    const before = this.#before;
    if (!before) return;
    const provenMs = performance.now();
    const losses = await this.#losses(before);
    const late = await this.#comeBack(before, losses);
    const expected = `the ${sizeOf(before.catalog)} of before`;
    const beside = remarks(losses);
    if (losses.lost.length > 0) {
      const observed = [`not there: ${entryNames(losses.lost)}`, ...beside].join('; ');
      this.#run.check({ ...CHECK, expected, observed, passed: false });
      this.#run.known.left =
        'The cluster runs what was rendered, and works; what is named is no longer registered.';
      throw registrationsLost(losses.lost);
    }
    if (late.length > 0 || losses.removed.length > 0) {
      const after = ((performance.now() - provenMs) / 1000).toFixed(1);
      const back = late.length > 0 ? [`${entryNames(late)} came back late, ${after} s after the proof`] : [];
      this.#run.concern({ ...CHECK, expected, observed: [...back, ...beside].join('; ') });
      return;
    }
    const observed = ['all that agents held whose pods were replaced', ...beside].join('; ');
    this.#run.check({ ...CHECK, expected, observed, passed: true });
  }

  /** Waits for what is missing, and takes it off `losses`. */
  async #comeBack(before: Before, losses: Losses): Promise<Entry[]> {
    const run = this.#run;
    const first = losses.lost;
    if (first.length === 0) return [];
    const limit = AbortSignal.timeout(BACK_MS);
    const signal = AbortSignal.any([run.signal, limit]);
    const backoff = new Backoff();
    try {
      while (losses.lost.length > 0) {
        const nodes = new Set(losses.lost.map(({ node }) => node));
        const observed = `not there yet: ${entryNames(losses.lost)}`;
        run.check({ ...CHECK, expected: 'what the catalog held before', observed, passed: false });
        run.log.progress(observed, 'registrations');
        await backoff.pause(signal);
        const now = await this.#asked((server) => readNodes(server, [...nodes], signal), signal);
        const of = new Map([...before.catalog].filter(([, { node }]) => nodes.has(node)));
        losses.lost = this.#compare({ ...before, catalog: of }, now).lost;
      }
    } catch (error) {
      run.signal.throwIfAborted();
      if (!limit.aborted) throw error;
    } finally {
      run.log.settled('registrations');
    }
    return first.filter((entry) => !losses.lost.includes(entry));
  }

  async #losses(before: Before): Promise<Losses> {
    const signal = AbortSignal.any([this.#run.signal, AbortSignal.timeout(BACK_MS)]);
    return this.#compare(before, await this.#asked((server) => readCatalog(server, signal), signal));
  }

  /** Asks again while there is an election, or a server that ends: also after the proof one may come. */
  async #asked<T>(ask: (server: ConsulClient) => Promise<T>, signal: AbortSignal): Promise<T> {
    const run = this.#run;
    const backoff = new Backoff();
    let last: unknown;
    for (;;) {
      const server = this.#server();
      try {
        if (server) return await ask(server);
      } catch (error) {
        run.signal.throwIfAborted();
        if (signal.aborted || !isPassing(error)) throw last ?? error;
        last = error;
        run.log.progress(Failure.from(error).what, 'registrations');
      }
      await backoff.pause(signal).catch((error: unknown) => {
        run.signal.throwIfAborted();
        throw last ?? error;
      });
    }
  }

  #compare({ catalog, agents }: Before, after: Catalog): Losses {
    return lossesOf(
      catalog,
      after,
      (node) => this.#fate(agents.get(node), node),
      (entry) => {
        const { node, kind, id } = entry;
        if (this.#configured.has(JSON.stringify([node, kind, id]))) return false;
        const role = agents.get(node)?.role;
        return role === undefined || !isTakenAway(this.#run.config.name, role, entry, this.#planned);
      },
    );
  }

  #fate(was: { role: Role; pod: PodView } | undefined, node: string): Fate {
    if (!was) return 'foreign';
    const { role, pod } = was;
    const now = this.#workloads.pods(role).find((one) => this.#workloads.agentName(role, one) === node);
    if (!now) return this.#workloads.isWanted(role, pod) ? 'replaced' : 'removed';
    return now.uid === pod.uid && now.restarts === pod.restarts ? 'kept' : 'replaced';
  }

  #server(): ConsulClient | undefined {
    const pod = this.#workloads.pods('server').find(({ ready }) => ready);
    return pod && this.#agents.client(pod);
  }

  #skip(why: string): void {
    const expected = 'what the catalog held before';
    this.#run.skip({ ...CHECK, expected, observed: `not compared: before the change ${why}` });
  }
}

function remarks({ removed, elsewhere }: Losses): string[] {
  return [
    ...(removed.length > 0 ? [`gone with agents that are no longer wanted: ${entryNames(removed)}`] : []),
    ...(elsewhere.length > 0 ? [`gone at agents that were not touched: ${entryNames(elsewhere)}`] : []),
  ];
}

function registrationsLost(lost: readonly Entry[]): Failure {
  const nodes = [...new Set(lost.map(({ node }) => node))];
  return new Failure({
    reason: 'registrations-lost',
    what: `the catalog has lost ${entryNames(lost)}`,
    where:
      nodes.length > 3 ? `${nodes.slice(0, 3).join(', ')} and ${nodes.length - 3} more` : nodes.join(', '),
    hint: 'Their agents were replaced or restarted during the run, and do not hold them any more. Have the applications register them again; an agent that is removed by hand or moved to another node starts with nothing.',
    details: lost.map(entryName),
  });
}
