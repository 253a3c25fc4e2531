import { keepsVolumes, podsOf, withPartition, withReplicas } from '../../change/workload.ts';
import { successorsOf } from '../../consul/quorum/leadership-transfer.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import { expectationOf } from '../../session/expectation.ts';
import { outcomeOf, type RunStep } from '../../session/run/run-step.ts';
import type { Run } from '../../session/run.ts';
import type { Stored } from '../../session/stored.ts';
import { Wake, wakeAtChanges } from '../../session/wake.ts';
import type { Workloads } from '../../session/workloads.ts';
import { applyStage } from '../apply/apply.ts';
import { mayLose } from '../plan/consent.ts';
import { type LookObserver, QuorumWatch } from '../proof/quorum-watch.ts';
import { type HandOver, handOver } from './leadership.ts';
import { isVital, mayStop, pendingOf } from './stop-rule.ts';
import { keepVoters } from './voter-minimum.ts';

/** Longer than a server with a new address takes to be let in again (memberlist keeps its name for 30 s). */
const STUCK_MS = 60_000;

/** Between two looks while a server comes back: each is on the way of all that follow. */
const LOOK_MS = 150;

/** Servers that run already and are to change: the controller would replace them by readiness alone. */
export function needsWalk({ action, live }: PlannedObject): boolean {
  return action === 'change' && live !== undefined;
}

export interface WalkParts {
  workloads: Workloads;
  agents: Agents;
  observer: LookObserver;
  stored: Stored;
}

/**
 * Starts the servers that are new, one at a time. Then it replaces the others, one at a time, the last ordinal first, each
 * only while Raft itself says that the others can do without it: a readiness probe is green before a returning server votes again, and the next one to go
 * then takes the quorum with it (https://github.com/hashicorp/consul-k8s/issues/1929).
 */
export async function walkServers(
  run: Run,
  cluster: Cluster,
  planned: PlannedObject,
  { workloads, agents, observer, stored }: WalkParts,
): Promise<void> {
  const names = workloads.serverNames();
  const isDataKept = keepsVolumes(planned.live ?? planned.desired) || mayLose(run, planned.desired);
  const wake = new Wake();
  // What is in order only when the walk is over is no trouble before.
  const saw: LookObserver['saw'] = (look, expected) =>
    observer.saw({ ...look, findings: look.findings.filter(({ id }) => isVital(id)) }, expected);
  const watch = new QuorumWatch(run, agents, { saw }, { pollMs: LOOK_MS });
  const over = new AbortController();
  void wakeAtChanges(run, workloads, wake, AbortSignal.any([run.signal, over.signal]));
  const expected = () => expectationOf(run.config, workloads, undefined);
  const apply = async (partition: number, replicas = names.length) => {
    const desired = withReplicas(withPartition(planned.desired, partition), replicas);
    const step = { ...planned, desired, action: 'change' as const };
    await applyStage(run, cluster, [step], stored);
    workloads.judge(stored);
  };
  const untilBack = (step: RunStep, name: string, there: readonly string[]) =>
    watch.until(expected, wake, (look) => {
      const verdict = workloads.verdict('server', { acceptPartition: true });
      const why = verdict.state === 'ready' ? pendingOf(look, there) : verdict.reason;
      step.waitsFor(why);
      if (why !== undefined) run.log.progress(`${name}: ${why}`, 'walk');
      return why === undefined;
    });
  try {
    const old = Math.min(planned.live ? podsOf(planned.live) : names.length, names.length);
    const kept = keepVoters(run, { workloads, agents }, AbortSignal.any([run.signal, over.signal]));
    // Everything but the pods changes now; the controller has to name the new revision before pods are judged.
    if (old === names.length) await apply(old);
    // Servers that are new come first, with the new revision at once: the old one would have each of them found a cluster
    // of its own. Each is a voter that has the log before the next comes.
    for (const [ordinal, name] of [...names.entries()].slice(old)) {
      const arrival = run.step(name);
      workloads.expectServers(ordinal + 1);
      await apply(old, ordinal + 1);
      await untilBack(arrival, name, names.slice(0, ordinal + 1));
      observer.startOver?.();
      arrival.done('started');
    }
    workloads.expectServers(undefined);
    for (let ordinal = old - 1; ordinal >= 0; ordinal--) {
      const name = names[ordinal] ?? '';
      const replacement = run.step(name);
      let stuckSince: number | undefined;
      const untilItMay = () =>
        watch.until(expected, wake, (look) => {
          const may = mayStop({ workloads, name, isDataKept }, look);
          const now = performance.now();
          stuckSince = may === 'stuck' ? (stuckSince ?? now) : undefined;
          // Until the controller has named the revision, nobody knows which pods it replaces.
          const isNamed = workloads.isObserved('server') === true;
          if (may === 'yes' && isNamed) return true;
          if (stuckSince !== undefined && now - stuckSince >= STUCK_MS) return true;
          const why = pendingOf(look, names) ?? 'the change is not known to its controller yet';
          replacement.waitsFor(why);
          run.log.progress(`${name} has to wait: ${why}`, 'walk');
          return false;
        });
      await untilItMay();
      const before = workloads.pod('server', name)?.uid;
      // What was seen before a hand-over that took its whole time is too old.
      if ((await handOverBefore(run, { workloads, agents }, name)) === 'failed') await untilItMay();
      run.log.info(`${name} takes the new revision`);
      await apply(ordinal);
      await untilBack(replacement, name, names);
      run.log.settled('walk');
      observer.startOver?.();
      replacement.done(outcomeOf(before, workloads.pod('server', name)?.uid));
    }
    await kept;
  } finally {
    workloads.expectServers(undefined);
    over.abort();
  }
}

/** A leader hands over before it is replaced. */
async function handOverBefore(
  run: Run,
  { workloads, agents }: { workloads: Workloads; agents: Agents },
  name: string,
): Promise<HandOver> {
  const pods = workloads
    .serverNames()
    .toReversed()
    .flatMap((one) => workloads.pod('server', one) ?? [])
    .map((pod) => ({ name: pod.name, isReplaced: workloads.isPresent('server', pod) }));
  if (!pods.some((pod) => pod.name === name && !pod.isReplaced)) return 'none';
  return handOver(run, { workloads, agents }, { awayFrom: name, rather: successorsOf(name, pods) });
}
