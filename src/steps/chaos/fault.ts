import { randomUUID } from 'node:crypto';
import type { Fault } from '../../config/config.ts';
import { type Catalog, readCatalog } from '../../consul/catalog/catalog.ts';
import { SMOKE_PREFIX } from '../../consul/proofs/keyvalue.ts';
import { type SurvivingKey, writeSurvivingKey } from '../../consul/proofs/surviving-key.ts';
import { raftAddress } from '../../consul/quorum/finding.ts';
import { entryNames, sizeOf } from '../../consul/registrations/conservation.ts';
import { count } from '../../count.ts';
import type { Failure } from '../../failure.ts';
import { deleteObject } from '../../kubernetes/delete.ts';
import { apiFailure } from '../../kubernetes/error.ts';
import { formatDuration } from '../../report/duration.ts';
import type { PodView } from '../../rollout/pod.ts';
import { ROLES } from '../../session/workloads.ts';
import { leaderOf } from '../proof/proven-cluster.ts';
import { type QuorumLook, QuorumWatch } from '../proof/quorum-watch.ts';
import type { Triage } from '../triage/triage.ts';
import { type Chaos, HEAL_MS, Healing, wholeExpectation } from './heal.ts';
import { untilKept, untilOnAll } from './kept.ts';
import { notHealed } from './not-healed.ts';
import { candidates, chooseVictim, obstacle } from './victim.ts';

/** With less of `timeout` left nobody could see it heal. */
const LEAST_MS = 90_000;
const DONE = { 'delete-server': 'server', 'delete-leader': 'leader', 'delete-client': 'client' } as const;

/** One fault, from its choice to its verdict. */
export class OneFault {
  readonly #fault: Fault;
  readonly #chaos: Chaos;
  readonly #triage: Triage;

  constructor(fault: Fault, chaos: Chaos, triage: Triage) {
    this.#fault = fault;
    this.#chaos = chaos;
    this.#triage = triage;
  }

  get #check() {
    const { workloads } = this.#chaos;
    const agents = ROLES.reduce((sum, role) => sum + workloads.verdict(role).desired, 0);
    return {
      id: `heals-${this.#fault}`,
      title: `Heals: ${DONE[this.#fault]} deleted`,
      group: 'chaos',
      expected: `all ${count(agents, 'agent')} and the quorum back by themselves within ${HEAL_MS / 60_000} min`,
    } as const;
  }

  /** Undefined where the fault was not made. */
  async make(): Promise<{ look: QuorumLook; victim: PodView } | undefined> {
    const { run, workloads, agents, observer } = this.#chaos;
    if (run.left() < LEAST_MS)
      return this.#skip(`only ${formatDuration(run.left())} of \`timeout\` are left`);
    const now = await new QuorumWatch(run, agents, observer).look(wholeExpectation(this.#chaos), run.signal);
    const why = obstacle(workloads, now);
    if (why !== undefined) return this.#skip(why);
    const leader =
      leaderOf(now) ?? workloads.pods('server').find((pod) => leads(now, workloads.serverAddress(pod)))?.name;
    const found = candidates(this.#fault, workloads, leader);
    const [asked] = workloads.pods('server');
    if (!asked) return this.#skip('there is no server');
    const server = agents.client(asked);
    const victim = await chooseVictim(
      { fault: this.#fault, found },
      run.config,
      { workloads, agents, server },
      run.signal,
    );
    if (typeof victim === 'string') return this.#skip(victim);
    const staying = workloads.pods('server').find(({ uid }) => uid !== victim.uid);
    if (!staying) return this.#skip('there is no other server');

    const key = `${SMOKE_PREFIX}chaos-${randomUUID()}`;
    const survivingKey = await writeSurvivingKey(agents.client(staying), key, run.signal);
    try {
      const wasLeader = leads(now, workloads.serverAddress(victim));
      const look = await this.#suffer(victim, staying, wasLeader, survivingKey);
      return look && { look, victim };
    } finally {
      await survivingKey.remove(agents.client(staying));
    }
  }

  async #suffer(
    victim: PodView,
    staying: PodView,
    wasLeader: boolean,
    survivingKey: SurvivingKey,
  ): Promise<QuorumLook | undefined> {
    const { run, agents } = this.#chaos;
    const catalog = await readCatalog(agents.client(staying), run.signal);
    const restarts = this.#restarts();
    const healing = new Healing(
      this.#chaos,
      victim,
      wasLeader ? raftAddress(this.#chaos.workloads.serverAddress(victim) ?? '') : undefined,
    );
    try {
      if (!(await this.#delete(victim))) return this.#skip(`somebody else has just replaced ${victim.name}`);
      run.known.left = { is: 'fault', pod: victim.name };
      run.log.info(`deleted ${victim.name}: from here on this run only watches`);
      this.#triage.start((verdict) => this.#notHealed(victim, verdict));
      const wanting = (what: string, late: boolean) => {
        run.check({ ...this.#check, observed: `not yet: ${what}`, passed: false });
        if (late) throw this.#notHealed(victim, what);
      };
      await healing.until(0, wanting);
      const { gone, lateMs } = await this.#intact(victim, healing, survivingKey, catalog);
      const look = await healing.until(run.config.stableFor, wanting);
      const others = this.#restartedSince(restarts);
      const observed = [
        `${victim.name} back after ${formatDuration(healing.afterMs)} by itself`,
        ledText(healing.trace.lostMs, leaderOf(look), wasLeader),
        `the key and the catalog's ${sizeOf(catalog)} kept${lateMs > 0 ? `, the last of them ${formatDuration(lateMs)} later` : ''}`,
        ...(gone.length > 0 ? [`but for what was deregistered meanwhile: ${entryNames(gone)}`] : []),
        ...(others.length > 0 ? [`restarted meanwhile: ${others.join(', ')}`] : []),
      ].join('; ');
      run.check({ ...this.#check, observed, passed: true });
      return look;
    } finally {
      healing.close();
    }
  }

  /** The key on every server, and the catalog as it was. */
  async #intact(victim: PodView, healing: Healing, survivingKey: SurvivingKey, catalog: Catalog) {
    const { run } = this.#chaos;
    const limit = AbortSignal.timeout(healing.leftMs);
    const both = AbortSignal.any([run.signal, limit]);
    let missing = `the key ${survivingKey.key} that was written before is not on every server`;
    let lateMs = 0;
    const startMs = performance.now();
    try {
      await untilOnAll(survivingKey, this.#chaos, both);
      const gone = await untilKept(this.#chaos, { victim, before: catalog }, both, (what) => {
        missing = what;
        lateMs = performance.now() - startMs;
        run.check({ ...this.#check, observed: `not yet: ${what}`, passed: false });
      });
      return { gone, lateMs };
    } catch (error) {
      run.signal.throwIfAborted();
      throw limit.aborted ? this.#notHealed(victim, missing) : error;
    }
  }

  /** False when there is no pod of that uid any more. */
  async #delete({ name, uid }: PodView): Promise<boolean> {
    const { run, cluster } = this.#chaos;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: run.config.namespace } };
    try {
      const { signal } = run;
      return (await deleteObject(cluster, pod, { uid, signal })) === 'deleted';
    } catch (error) {
      run.signal.throwIfAborted();
      throw apiFailure(error, { verb: 'delete', object: `Pod/${name}` });
    }
  }

  #notHealed(victim: PodView, cause: Failure | string): Failure {
    const { run } = this.#chaos;
    const failure = notHealed(victim.name, cause, run.openChecks());
    if (failure.reason === 'not-healed') {
      const observed = typeof cause === 'string' ? cause : cause.what;
      run.check({ ...this.#check, observed: `not healed: ${observed}`, passed: false });
    }
    return failure;
  }

  /** A fault that was asked for and is not made is said aloud: the run is green without it. */
  #skip(why: string): undefined {
    const { run } = this.#chaos;
    run.skip({ ...this.#check, observed: `not made: ${why}` });
    run.warn(`${this.#check.title}: this fault was not made: ${why}`);
  }

  #restarts(): Map<string, number> {
    const pods = ROLES.flatMap((role) => this.#chaos.workloads.pods(role));
    return new Map(pods.map(({ uid, restarts }) => [uid, restarts]));
  }

  #restartedSince(before: ReadonlyMap<string, number>): string[] {
    const pods = ROLES.flatMap((role) => this.#chaos.workloads.pods(role));
    return pods.filter(({ uid, restarts }) => restarts > (before.get(uid) ?? 0)).map(({ name }) => name);
  }
}

function leads({ evidence: [first] }: Pick<QuorumLook, 'evidence'>, ip: string | undefined): boolean {
  return ip !== undefined && first?.leader === raftAddress(ip);
}

function ledText(lostMs: number, leader: string | undefined, wasLeader: boolean): string {
  if (lostMs === 0) return 'the leader stayed';
  const now = wasLeader && leader !== undefined ? `, then ${leader} led` : '';
  return `no leader for ${formatDuration(lostMs)}${now}`;
}
