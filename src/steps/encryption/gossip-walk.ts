import { type GossipState, isBehind, nextState } from '../../consul/gossip/state.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { GossipFiles } from '../../manifests/gossip.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Run } from '../../session/run.ts';
import { requirePermissions } from '../preflight/permissions.ts';
import { looksAt } from '../proof/gossip.ts';
import { carriagePermissions } from '../registrations/stash.ts';
import { type EncryptionTools, EncryptionWatch } from './encryption-watch.ts';
import { gossipFilesAt, newKey, removeGossipSecret, writeGossipFiles } from './gossip-secret.ts';
import { gossipStates } from './gossip-states.ts';
import { restartAgents } from './in-pods/restart-agents.ts';
import { refuseOutsideAgents } from './outside.ts';
import type { GossipGoal } from './settle-gossip.ts';
import type { TlsRide } from './tls-ride.ts';

/**
 * Takes the agents of a cluster that runs to encrypted gossip, or back: one step at a time, each only when every agent is
 * in the state before and all see each other, since agents two steps apart do not understand each other. Where each of
 * them stands is seen on the wire, so that the next run goes on where one was ended.
 * @param ride what else the agents take along with each restart
 * @returns the files as they are then
 */
export async function walkGossip(
  run: Run,
  { goal, isNew, files, key }: GossipGoal,
  tools: EncryptionTools,
  ride?: Pick<TlsRide, 'with' | 'end'>,
): Promise<GossipFiles | undefined> {
  if ((goal !== 'strict' && goal !== 'off') || isNew) return files;
  if (goal === 'off' && !files) return undefined;
  const watch = new EncryptionWatch(run, tools, 'gossip');
  try {
    const walk = new GossipWalk(run, { goal, files, key }, tools, watch);
    if (await walk.isAtGoal()) return files;
    const title = goal === 'strict' ? 'Encrypt the gossip' : 'Take the encryption of gossip back';
    return await run.phase('encrypt', title, () => walk.all(ride));
  } finally {
    watch.close();
  }
}

class GossipWalk {
  readonly #run: Run;
  readonly #goal: 'strict' | 'off';
  readonly #key: string | undefined;
  readonly #tools: EncryptionTools;
  readonly #watch: EncryptionWatch;
  #files: GossipFiles | undefined;

  constructor(
    run: Run,
    { goal, files, key }: Pick<GossipGoal, 'files' | 'key'> & { goal: 'strict' | 'off' },
    tools: EncryptionTools,
    watch: EncryptionWatch,
  ) {
    this.#run = run;
    this.#goal = goal;
    this.#files = files;
    this.#key = key;
    this.#tools = tools;
    this.#watch = watch;
  }

  /** The Secret says so, and no agent that answers says otherwise; one that does not is for the proof to tell of. */
  async isAtGoal(): Promise<boolean> {
    if (this.#goal !== 'strict' || this.#files?.state !== 'strict') return false;
    await this.#tools.workloads.untilSynced(this.#run.signal);
    const { agents } = this.#tools;
    const looks = await looksAt(agents, this.#watch.pods(), this.#run.signal);
    return looks.every(({ seen }) => seen instanceof Failure || seen === 'strict');
  }

  async all(ride: Pick<TlsRide, 'with' | 'end'> | undefined): Promise<GossipFiles | undefined> {
    const run = this.#run;
    // The Secret may say already what agents have not yet read, so it is written in any case.
    for (let allowed = false; ; allowed = true) {
      await this.#watch.untilAllAreThere();
      const states = await this.#states();
      const next = nextState([...states.values()], this.#goal);
      if (next === undefined) break;
      // Restarting an agent takes a command in its container.
      if (!allowed) {
        await requirePermissions(run, this.#tools.cluster, carriagePermissions(run.config.namespace));
        // Where the Secret says so already, whoever is outside has long been told.
        if (this.#files?.state !== this.#goal) await refuseOutsideAgents(run, this.#tools, 'gossip');
      }
      const behind = [...states].filter(([, state]) => isBehind(state, next, this.#goal)).map(([pod]) => pod);
      const more = await ride?.with(behind, this.#watch);
      run.known.left = { is: 'encrypting', what: 'gossip', isWanted: this.#goal === 'strict' };
      await this.#write(next);
      run.log.info(
        `gossip: ${count(behind.length, 'agent')} ${behind.length === 1 ? 'goes' : 'go'} to the state "${next}"`,
      );
      await restartAgents(run, { tools: this.#tools, watch: this.#watch }, behind, {
        files: (pod) => [gossipFilesAt(run.config, this.#files), ...(more ? [more(pod)] : [])],
        state: next,
        isReached: async (pod) => (await this.#states([pod])).get(pod) === next,
      });
    }
    await ride?.end(this.#watch);
    if (this.#goal === 'off') {
      await removeGossipSecret(run, this.#tools.cluster);
      return undefined;
    }
    if (this.#files?.state !== 'strict') await this.#write('strict');
    return this.#files;
  }

  #states(pods: readonly PodView[] = this.#watch.pods()): Promise<Map<PodView, GossipState>> {
    return gossipStates(this.#run, this.#tools.agents, pods);
  }

  /** What agents find from now on when they start. */
  async #write(state: GossipState): Promise<void> {
    const { cluster } = this.#tools;
    const { keys = [], revision = 0, rotation } = this.#files ?? {};
    const some = keys.length > 0 ? keys : [this.#key ?? newKey(cluster)];
    const what = state === 'off' ? { keys: [] } : { keys: some, ...(rotation && { rotation }) };
    this.#files = { ...what, state, goal: this.#goal, revision: revision + 1 };
    await writeGossipFiles(this.#run, cluster, this.#files);
  }
}
