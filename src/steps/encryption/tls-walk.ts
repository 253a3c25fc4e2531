import { datacenters } from '../../consul/datacenters.ts';
import { type RpcSeen, TLS_STATES, type TlsState, tlsStateOf } from '../../consul/rpc/state.ts';
import { isBefore, nextInOrder } from '../../consul/step-order.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { TlsFiles } from '../../manifests/tls.ts';
import type { PodView } from '../../rollout/pod.ts';
import { AnyServer } from '../../session/any-server.ts';
import type { Run } from '../../session/run.ts';
import { requirePermissions } from '../preflight/permissions.ts';
import { rpcLooksAt, stateOf } from '../proof/tls.ts';
import { carriagePermissions } from '../registrations/stash.ts';
import { issue, union } from './certificates.ts';
import { type EncryptionTools, EncryptionWatch } from './encryption-watch.ts';
import { byRole } from './in-pods/agent-pods.ts';
import type { ReloadedAs } from './in-pods/reload-agents.ts';
import type { AwaitedFiles } from './in-pods/restart.ts';
import { restartAgents } from './in-pods/restart-agents.ts';
import { refuseOutsideAgents } from './outside.ts';
import { reloadForTls } from './reload-for-tls.ts';
import { untilServed } from './served.ts';
import type { TlsGoal } from './settle-tls.ts';
import { tlsFilesAt } from './tls-pod-files.ts';
import { removeTlsSecrets, writeTlsFiles } from './tls-secrets.ts';
import { rpcSeen } from './tls-states.ts';

/** Of a question that any server answers. */
const ASK_MS = 60_000;

/**
 * Takes the agents of a cluster that runs to TLS, or back: one step at a time, each only when every agent is in the state
 * before. Where each of them stands is seen on the wire and asked, so that the next run goes on where one was ended.
 * @returns the files as they are then
 */
export async function walkTls(
  run: Run,
  goal: TlsGoal,
  files: TlsFiles | undefined,
  tools: EncryptionTools,
): Promise<TlsFiles | undefined> {
  if ((goal.goal !== 'enforced' && goal.goal !== 'off') || goal.isNew) return files;
  const watch = new EncryptionWatch(run, tools, 'TLS');
  try {
    const walk = new TlsWalk(run, { ...goal, goal: goal.goal }, files, { tools, watch });
    if (await walk.isAtGoal()) return files;
    const title = goal.goal === 'enforced' ? 'Bring RPC to TLS' : 'Take RPC back to plaintext';
    return await run.phase('encrypt', title, () => walk.all());
  } finally {
    watch.close();
  }
}

interface TlsStep {
  next: TlsState;
  behind: readonly PodView[];
}

export class TlsWalk {
  readonly #run: Run;
  readonly #to: TlsGoal & { goal: 'enforced' | 'off' };
  readonly #tools: EncryptionTools;
  readonly #watch: EncryptionWatch;
  #files: TlsFiles | undefined;
  #isAllowed = false;

  constructor(
    run: Run,
    to: TlsGoal & { goal: 'enforced' | 'off' },
    files: TlsFiles | undefined,
    { tools, watch }: { tools: EncryptionTools; watch: EncryptionWatch },
  ) {
    this.#run = run;
    this.#to = to;
    this.#files = files;
    this.#tools = tools;
    this.#watch = watch;
  }

  /** The Secrets say so, and no server was seen otherwise; one that does not answer is for the proof to tell of. */
  async isAtGoal(): Promise<boolean> {
    const { goal } = this.#to;
    await this.#tools.workloads.untilSynced(this.#run.signal);
    if (goal === 'off' && this.#files) return false;
    if (goal === 'enforced' && this.#files?.state !== 'enforced') return false;
    const { workloads, agents } = this.#tools;
    const servers = workloads
      .pods('server')
      .filter(({ phase, ip }) => phase === 'Running' && ip !== undefined);
    const looks = await rpcLooksAt(agents, servers, this.#run.signal);
    const wanted = goal === 'enforced' ? 'enforced' : 'plaintext';
    return looks.every((look) => look instanceof Failure || (stateOf(look.seen) ?? wanted) === wanted);
  }

  get files(): TlsFiles | undefined {
    return this.#files;
  }

  async all(): Promise<TlsFiles | undefined> {
    const run = this.#run;
    const { goal } = this.#to;
    if (goal === 'off' && !this.#files) {
      await this.#mayGo();
      await this.#dropAtOnce();
    }
    for (;;) {
      await this.#watch.untilAllAreThere();
      const step = await this.#next();
      if (!step) break;
      run.known.left = { is: 'encrypting', what: 'rpc', isWanted: goal === 'enforced' };
      await this.#begin(step);
      await this.#go(step.behind, step.next);
      await untilServed(run, this.#tools, this.#watch.pods());
    }
    if (goal === 'off') {
      await removeTlsSecrets(run, this.#tools.cluster);
      return undefined;
    }
    if (this.#files?.state !== 'enforced') await this.#write('enforced');
    return this.#files;
  }

  /**
   * Begins the next step, where all that have to make it are about to restart for another reason: when they start they are there.
   * @returns the files that they have to have by then
   */
  async ride(restarting: readonly PodView[]): Promise<((pod: PodView) => AwaitedFiles) | undefined> {
    await untilServed(this.#run, this.#tools, this.#watch.pods());
    const step = await this.#next();
    const uids = new Set(restarting.map(({ uid }) => uid));
    if (!step?.behind.every(({ uid }) => uids.has(uid))) return undefined;
    await this.#begin(step);
    const files = tlsFilesAt(this.#run, this.#files?.revision);
    const servers = new Set(this.#tools.workloads.pods('server').map(({ uid }) => uid));
    return ({ uid }) => files(servers.has(uid) ? 'server' : 'client');
  }

  /** The state to go to, and who has yet to go there; undefined where all are at the goal. */
  async #next(): Promise<TlsStep | undefined> {
    await this.#mayGo();
    const { goal } = this.#to;
    const states = [...(await this.#seen())].map(([pod, seen]) => ({ pod, state: tlsStateOf(seen, goal) }));
    const way = this.#way();
    const next = nextInOrder(
      TLS_STATES,
      states.map(({ state }) => state),
      way,
    );
    if (next === undefined) return undefined;
    const behind = states.filter(({ state }) => isBefore(TLS_STATES, state, next, way));
    return { next, behind: behind.map(({ pod }) => pod) };
  }

  async #begin({ next, behind }: TlsStep): Promise<void> {
    await this.#write(next);
    this.#run.log.info(
      `TLS: ${count(behind.length, 'agent')} ${behind.length === 1 ? 'goes' : 'go'} to the state "${next}"`,
    );
  }

  /** Restarting an agent takes a command in its container; and another datacenter has to be told first. */
  async #mayGo(): Promise<void> {
    if (this.#isAllowed) return;
    this.#isAllowed = true;
    const run = this.#run;
    await requirePermissions(run, this.#tools.cluster, carriagePermissions(run.config.namespace));
    // Where the Secrets say so already, whoever is outside has long been told.
    if (this.#files?.state !== this.#to.goal) await refuseOutsideAgents(run, this.#tools, 'TLS');
    const servers = new AnyServer(run, this.#tools.workloads, this.#tools.agents);
    const known = await servers.ask(datacenters, ASK_MS);
    const others = known.filter((one) => one !== run.config.datacenter);
    if (this.#to.goal === 'off' || others.length === 0) return;
    throw new Failure({
      reason: 'certificate',
      what: `RPC is not taken to TLS, since the servers of ${others.join(', ')} speak to these, too`,
      where: `datacenter ${run.config.datacenter}`,
      hint: 'Nothing was changed. Servers that enforce TLS take no other datacenter in plaintext. Set `tls` in `server-config` of each datacenter, with one authority for all.',
    });
  }

  /** By a restart where the agent has to tell the others, or has to lose connections; otherwise by a reload. */
  async #go(behind: readonly PodView[], next: TlsState): Promise<void> {
    const { goal } = this.#to;
    const isReached = async (pod: PodView) => {
      const seen = (await this.#seen([pod])).get(pod);
      return seen !== undefined && !isBefore(TLS_STATES, tlsStateOf(seen, goal), next, this.#way());
    };
    const { servers, clients } = byRole(this.#tools.workloads, behind);
    const byRestart = goal === 'enforced' ? next !== 'outgoing' : next === 'off';
    const as = { state: next, isReached };
    if (byRestart) {
      const files = [tlsFilesAt(this.#run, this.#files?.revision)('server')];
      const restarted = { ...as, files: () => files };
      await restartAgents(this.#run, { tools: this.#tools, watch: this.#watch }, servers, restarted);
    }
    await this.#reload(byRestart ? [clients] : [servers, clients], as);
  }

  async #reload(
    groups: readonly (readonly PodView[])[],
    as: Pick<ReloadedAs, 'state' | 'isReached'>,
  ): Promise<void> {
    await reloadForTls(this.#run, this.#tools, groups, { ...as, revision: this.#files?.revision ?? 0 });
  }

  #way(): 'forwards' | 'backwards' {
    return this.#to.goal === 'enforced' ? 'forwards' : 'backwards';
  }

  /** Where the Secrets are gone nobody can go step by step: all agents read at once that there is no TLS. */
  async #dropAtOnce(): Promise<void> {
    const none = { certificate: '', key: '' };
    this.#files = { state: 'off', goal: 'off', authorities: '', server: none, client: none, revision: 1 };
    await writeTlsFiles(this.#run, this.#tools.cluster, this.#files);
    const isReached = async (pod: PodView) => !(await this.#seen([pod])).get(pod)?.dialsWithTls;
    await this.#reload([this.#watch.pods()], { state: 'off', isReached });
  }

  #seen(pods: readonly PodView[] = this.#watch.pods()): Promise<Map<PodView, RpcSeen>> {
    const { workloads, agents } = this.#tools;
    return rpcSeen(this.#run, agents, byRole(workloads, pods), this.#files?.server.certificate);
  }

  /** What agents find from now on when they start or read again. */
  async #write(state: TlsState): Promise<void> {
    const { cluster } = this.#tools;
    const before = this.#files;
    const isWhole = before?.server.certificate && before.client.certificate;
    const pairs = isWhole ? before : await issue(this.#run, cluster, this.#to);
    const { server, client, from } = pairs;
    // Those that run trust what they have read.
    const authorities = union(before?.authorities ?? '', pairs.authorities);
    const revision = (before?.revision ?? 0) + 1;
    const { rotation } = before ?? {};
    this.#files = {
      authorities,
      server,
      client,
      state,
      goal: this.#to.goal,
      revision,
      ...(rotation && { rotation }),
      ...(from && { from }),
    };
    await writeTlsFiles(this.#run, cluster, this.#files);
  }
}
