import { keepsVolumes } from '../change/workload.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { PlannedObject } from '../kubernetes/plan.ts';
import type { Agents } from './agents.ts';
import { applyStage, type Stored } from './apply.ts';
import { Bell } from './bell.ts';
import type { Cluster } from './connect.ts';
import { mayLose } from './consent.ts';
import { expectationOf } from './expectation.ts';
import { handOver } from './hand-over.ts';
import { type LookObserver, QuorumWatch } from './quorum.ts';
import type { Run } from './run.ts';
import { outcomeOf } from './run-step.ts';
import { isVital, mayStop } from './stop-rule.ts';
import { keepVoters } from './voter-minimum.ts';
import type { Workloads } from './workloads.ts';

/** Longer than a server with a new address takes to be let in again (memberlist keeps its name for 30 s). */
const STUCK_MS = 60_000;

export function isServers(run: Run, { desired }: PlannedObject): boolean {
  return desired.kind === 'StatefulSet' && desired.metadata.name === `${run.config.name}-server`;
}

/** Servers that run already and are to change: the controller would replace them by readiness alone. */
export function needsWalk({ action, live }: PlannedObject): boolean {
  return action === 'change' && live !== undefined;
}

/**
 * Replaces the servers one at a time, the last ordinal first, each only while Raft itself says that the others
 * can do without it: a readiness probe is green before a returning server votes again, and the next one to go
 * then takes the quorum with it (https://github.com/hashicorp/consul-k8s/issues/1929).
 */
export async function walkServers(
  run: Run,
  cluster: Cluster,
  planned: PlannedObject,
  workloads: Workloads,
  agents: Agents,
  observer: LookObserver,
  stored: Stored,
): Promise<void> {
  const names = workloads.serverNames();
  const isDataKept = keepsVolumes(planned.live ?? planned.desired) || mayLose(run, planned.desired);
  const bell = new Bell();
  const watch = new QuorumWatch(run, agents, {
    // What is in order only when the walk is over is no trouble before.
    saw: (look, expected) =>
      observer.saw({ ...look, findings: look.findings.filter(({ id }) => isVital(id)) }, expected),
  });
  const over = new AbortController();
  void ringAtChanges(run, workloads, bell, AbortSignal.any([run.signal, over.signal]));
  const apply = async (partition: number) => {
    const step = {
      ...planned,
      desired: withPartition(planned.desired, partition),
      action: 'change' as const,
    };
    await applyStage(run, cluster, [step], stored, run.signal);
    workloads.judge(stored);
  };
  try {
    // Everything but the pods changes now; the controller has to name the new revision before pods are judged.
    await apply(names.length);
    const kept = keepVoters(run, { workloads, agents }, AbortSignal.any([run.signal, over.signal]));
    for (let ordinal = names.length - 1; ordinal >= 0; ordinal--) {
      const name = names[ordinal] ?? '';
      const replacement = run.step(name);
      let stuckSince: number | undefined;
      await watch.until(
        () => expectationOf(run.config, workloads, undefined),
        bell,
        (look) => {
          const may = mayStop({ workloads, name, isDataKept }, look);
          const now = performance.now();
          stuckSince = may === 'stuck' ? (stuckSince ?? now) : undefined;
          if (may === 'yes' || (stuckSince !== undefined && now - stuckSince >= STUCK_MS)) return true;
          const pending = look.findings.find(({ passed, id }) => !passed && isVital(id));
          const why = pending?.observed ?? 'its pod is not known yet';
          replacement.waitsFor(why);
          run.log.progress(`${name} has to wait: ${why}`, 'walk');
          return false;
        },
      );
      const before = workloads.pod('server', name)?.uid;
      // The first in the order is the last to stop: it leads meanwhile, so the leadership moves twice at most.
      const [first = ''] = names;
      const tools = { workloads, agents };
      const given = name !== first && (await handOver(run, tools, { to: first }));
      if (!given) await handOver(run, tools, { awayFrom: name });
      run.log.info(`${name} takes the new revision`);
      await apply(ordinal);
      await watch.until(
        () => expectationOf(run.config, workloads, undefined),
        bell,
        (look) => {
          const verdict = workloads.verdict('server', { acceptPartition: true });
          const pending =
            verdict.state === 'ready'
              ? look.findings.find(({ passed, id }) => !passed && isVital(id))
              : undefined;
          const why = verdict.state === 'ready' ? pending?.observed : verdict.reason;
          replacement.waitsFor(why);
          if (why !== undefined) run.log.progress(`${name}: ${why}`, 'walk');
          return why === undefined;
        },
      );
      run.log.settled('walk');
      replacement.done(outcomeOf(before, workloads.pod('server', name)?.uid));
    }
    await kept;
  } finally {
    over.abort();
  }
}

export async function ringAtChanges(
  run: Run,
  workloads: Workloads,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const { version } = workloads.observation;
      bell.ring();
      await workloads.changedSince(version, signal);
    }
  } catch (error) {
    if (!signal.aborted) run.fail(error);
  }
}

function withPartition(desired: KubernetesObject, partition: number): KubernetesObject {
  const spec = desired.spec as { updateStrategy?: Record<string, unknown> };
  const updateStrategy = { ...spec.updateStrategy, type: 'RollingUpdate', rollingUpdate: { partition } };
  return { ...desired, spec: { ...spec, updateStrategy } };
}
