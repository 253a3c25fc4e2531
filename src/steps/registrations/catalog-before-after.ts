import type { Step } from '../../change/step.ts';
import { type Catalog, type Entry, readCatalog } from '../../consul/catalog/catalog.ts';
import { names } from '../../consul/quorum/finding.ts';
import {
  entryName,
  entryNames,
  type Fate,
  lossesOf,
  sizeOf,
} from '../../consul/registrations/conservation.ts';
import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { AnyServer } from '../../session/any-server.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Role, type Workloads } from '../../session/workloads.ts';
import { takenAway } from './from-config-file.ts';
import { type Found, findMissing } from './missing.ts';

/** An election that is under way ends within it. A cluster without a leader is perhaps what this deploy repairs. */
export const ELECTION_MS = 10_000;
/** Where clients are replaced it matters more: nobody else knows all that they hold. */
const ROLL_MS = 30_000;
/** After the proof; also then there may be an election. */
export const AFTER_MS = 60_000;
const MOST_DETAILS = 100;

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
  readonly #agents: Pick<Agents, 'client' | 'keep'>;
  readonly #server: AnyServer;
  readonly #isTakenAway: ReturnType<typeof takenAway>;
  /** By node, kind and id. */
  readonly #configured = new Set<string>();
  /** Agents whose successors were given all that they held, as they were then, by their names in the catalog. */
  readonly #successors = new Map<string, PodView>();
  #before: Before | undefined;
  #unknown: Failure | undefined;

  constructor(
    run: Run,
    workloads: Workloads,
    agents: Pick<Agents, 'client' | 'keep'>,
    planned: readonly Step[],
  ) {
    this.#run = run;
    this.#workloads = workloads;
    this.#agents = agents;
    this.#server = new AnyServer(run, workloads, agents);
    this.#isTakenAway = takenAway(run.config.name, planned);
  }

  /** What the catalog said before the first write; undefined where it is not known. */
  get catalog(): Catalog | undefined {
    return this.#before?.catalog;
  }

  /** Why it is not known. */
  get unknown(): Failure | undefined {
    return this.#unknown;
  }

  /** An agent has it from a configuration file, and its successor has what stands there then. */
  configured(node: string, kind: Entry['kind'], id: string): void {
    this.#configured.add(JSON.stringify([node, kind, id]));
  }

  /** This pod was given all that the agent of that name held: what it lacks later was deregistered there. */
  succeeded(role: Role, pod: PodView): void {
    this.#successors.set(this.#workloads.agentName(role, pod), pod);
  }

  /**
   * Before the first write. Asks again while that may help; what stays unknown is told.
   * @param rolls whether clients are replaced
   */
  async begin({ rolls }: { rolls: boolean }): Promise<void> {
    const run = this.#run;
    await this.#workloads.untilSynced(run.signal);
    const pods = ROLES.flatMap((role) => this.#workloads.pods(role).map((pod) => ({ role, pod })));
    // There is no cluster yet.
    if (pods.length === 0) return;
    const agents = new Map(pods.map((one) => [this.#workloads.agentName(one.role, one.pod), one]));
    const isAnyReady = pods.some(({ role, pod }) => role === 'server' && pod.ready);
    try {
      // Servers that do not run are perhaps what this deploy repairs.
      const limitMs = rolls ? ROLL_MS : isAnyReady ? ELECTION_MS : 1;
      const catalog = await this.#server.ask(readCatalog, limitMs);
      this.#before = { catalog, agents };
      run.log.info(`${sizeOf(catalog)} are in the catalog`);
    } catch (error) {
      run.signal.throwIfAborted();
      this.#unknown = Failure.from(error);
      const expected = 'what the catalog held before';
      const observed = `not compared, since it could not be read before the change: ${this.#unknown.message}`;
      run.concern({ ...CHECK, expected, observed });
    }
  }

  /**
   * After the proof.
   * @throws Failure `registrations-lost` with all that does not come back, `acl-denied` when it cannot be known
   */
  async end(): Promise<void> {
    const before = this.#before;
    if (!before) return this.#refuseUnreadable();
    const run = this.#run;
    const provenMs = performance.now();
    const expected = `the ${sizeOf(before.catalog)} of before`;
    const { missing, removed, elsewhere } = this.#compare(
      before,
      await this.#server.ask(readCatalog, AFTER_MS),
    );
    const members = [...before.catalog.values()].filter(({ kind }) => kind === 'node').length;
    const found = await findMissing(run, missing, members, {
      workloads: this.#workloads,
      agents: this.#agents,
      ask: (ask) => this.#server.ask(ask, AFTER_MS),
      wanting: (what) => {
        const observed = `not there yet: ${what}`;
        run.check({ ...CHECK, expected, observed, passed: false });
        run.log.progress(observed, 'registrations');
      },
    });
    run.log.settled('registrations');
    const beside = remarks({ removed, elsewhere }, found);
    if (found.lost.length > 0) {
      const observed = [`not there: ${entryNames(found.lost)}`, ...beside].join('; ');
      run.check({ ...CHECK, expected, observed, passed: false });
      run.known.left = { is: 'registrations-lost' };
      throw registrationsLost(found.lost);
    }
    if (found.late.length > 0 || removed.length > 0) {
      const after = ((performance.now() - provenMs) / 1000).toFixed(1);
      const back =
        found.late.length > 0 ? [`${entryNames(found.late)} came back late, ${after} s after the proof`] : [];
      run.concern({ ...CHECK, expected, observed: [...back, ...beside].join('; ') });
      return;
    }
    const observed = ['all of it that agents still hold', ...beside].join('; ');
    run.check({ ...CHECK, expected, observed, passed: true });
  }

  /** It was no matter of time before the change: either the change has helped, or nothing is known to the end. */
  async #refuseUnreadable(): Promise<void> {
    if (this.#unknown?.reason !== 'acl-denied') return;
    await this.#server.ask(readCatalog, AFTER_MS);
  }

  #compare({ catalog, agents }: Before, after: Catalog) {
    return lossesOf(
      catalog,
      after,
      (node) => this.#fate(agents.get(node), node),
      (entry) => {
        const { node, kind, id } = entry;
        if (this.#configured.has(JSON.stringify([node, kind, id]))) return false;
        const role = agents.get(node)?.role;
        return role === undefined || !this.#isTakenAway(role, entry);
      },
    );
  }

  #fate(was: { role: Role; pod: PodView } | undefined, node: string): Fate {
    if (!was) return 'foreign';
    const { role } = was;
    const pod = this.#successors.get(node) ?? was.pod;
    const [now] = this.#workloads.podsAt(role, node);
    if (!now) return this.#workloads.isWanted(role, pod) ? 'replaced' : 'removed';
    return now.uid === pod.uid && now.restarts === pod.restarts ? 'kept' : 'replaced';
  }
}

function remarks(
  { removed, elsewhere }: { removed: Entry[]; elsewhere: Entry[] },
  { deregistered }: Pick<Found, 'deregistered'>,
): string[] {
  return [
    ...(removed.length > 0 ? [`gone with agents that are no longer wanted: ${entryNames(removed)}`] : []),
    ...(deregistered.length > 0
      ? [`deregistered meanwhile, as their agents say: ${entryNames(deregistered)}`]
      : []),
    ...(elsewhere.length > 0 ? [`gone at nodes without an agent to ask: ${entryNames(elsewhere)}`] : []),
  ];
}

function registrationsLost(lost: readonly Entry[]): Failure {
  const nodes = [...new Set(lost.map(({ node }) => node))];
  const more = lost.length - MOST_DETAILS;
  return new Failure({
    reason: 'registrations-lost',
    what: `the catalog has lost ${entryNames(lost)}`,
    where: names(nodes, 3),
    hint: 'Either their agents were replaced or restarted during the run and do not hold them any more, or their agents do not bring them back to the catalog: then see the logs of those agents. Have the applications register them again; an agent that is removed by hand or moved to another node starts with nothing.',
    details: [...lost.slice(0, MOST_DETAILS).map(entryName), ...(more > 0 ? [`and ${more} more`] : [])],
  });
}
