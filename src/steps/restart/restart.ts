import pLimit from 'p-limit';
import { metricsFilters } from '../../consul/agent/reload.ts';
import { isPassing } from '../../consul/failure.ts';
import { leaderAnswer } from '../../consul/quorum/evidence-answer.ts';
import { leadingServer } from '../../consul/quorum/leadership-transfer.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import { ApiError } from '../../kubernetes/error.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import type { Cluster } from '../../session/cluster.ts';
import { expectationOf } from '../../session/expectation.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { Wake, wakeAtChanges } from '../../session/wake.ts';
import type { Workloads } from '../../session/workloads.ts';
import { type LookObserver, type QuorumLook, QuorumWatch } from '../proof/quorum-watch.ts';
import { catchUpChecks, keepingChecks } from '../registrations/check-states.ts';
import type { Refresh } from '../reload/refresh-files.ts';
import { batchSize } from '../replacement/batch.ts';
import { handOver } from '../replacement/leadership.ts';
import { isVital, mayStop, pendingOf } from '../replacement/stop-rule.ts';
import type { Restart } from './restarts.ts';
import { hasStartedWith, startAgain } from './start-again.ts';

const PARALLEL = 16;
/** Between two looks at the quorum, and between two questions to an agent that is coming back. */
const LOOK_MS = 100;
/** An agent is back within two seconds or so; one that is not has another trouble. */
const BACK_MS = 60_000;

interface Tools {
  cluster: Pick<Cluster, 'transport'>;
  workloads: Workloads;
  agents: Agents;
  refresh: Refresh;
  observer: LookObserver;
}

/**
 * Has every agent that runs start with its configuration, in its pod: it keeps its address, its data and what is registered
 * there. Servers one at a time, each only while Raft can do without it, the leader last; then clients in waves.
 */
export async function restartAgents(run: Run, all: readonly Restart[], tools: Tools): Promise<void> {
  if (all.length === 0) return;
  await tools.workloads.untilSynced(run.signal);
  await catchUpChecks(run, tools);
  const done: string[] = [];
  for (const one of all) {
    const old = await oldAgents(run, one, tools);
    if (old.length === 0) continue;
    run.known.changed = true;
    if (one.role === 'server') await restartServers(run, one, old, tools);
    else await restartClients(run, one, old, tools);
    done.push(count(old.length, one.role));
  }
  if (done.length === 0) return;
  run.check({
    id: 'configuration-started',
    title: 'Restarted',
    group: 'servers',
    expected: 'every agent has started with its new configuration, in the pod that it had',
    observed: done.join(' and '),
    passed: true,
  });
}

/** Pods of an earlier template are about to be replaced, and one whose agent does not run starts with the files as they are. */
async function oldAgents(
  run: Run,
  { role, startMarker, started }: Restart,
  { workloads, cluster }: Tools,
): Promise<PodView[]> {
  const pods = workloads
    .pods(role)
    .filter((pod) => workloads.isPresent(role, pod) && workloads.runs(role, pod, AGENT_CONTAINER))
    .filter(({ uid }) => !started.has(uid));
  const limit = pLimit(PARALLEL);
  const isStarted = await Promise.all(
    pods.map((pod) =>
      limit(async () => {
        try {
          const found = await hasStartedWith(run, { cluster }, pod, startMarker);
          if (found) started.add(pod.uid);
          return found;
        } catch (error) {
          run.signal.throwIfAborted();
          if (isDenied(error)) return unseen(run, pod);
          if (workloads.runs(role, pod, AGENT_CONTAINER)) throw error;
          return true;
        }
      }),
    ),
  );
  return pods.filter((_, at) => !isStarted[at]);
}

/** A deploy that has something to restart may run commands in pods; this one only looks, and goes by the record of deploys. */
function unseen(run: Run, { name }: PodView): true {
  run.log.info(`${name}: what its agent has started with is not looked at, which needs pods/exec.`);
  return true;
}

async function restartServers(run: Run, one: Restart, old: readonly PodView[], tools: Tools): Promise<void> {
  const { workloads, agents, refresh } = tools;
  const names = workloads.serverNames();
  const left = new Map(old.map((pod) => [pod.name, pod]));
  const wake = new Wake();
  // What is in order only when all of them are done is no trouble before.
  const saw: LookObserver['saw'] = (look, expected) =>
    tools.observer.saw({ ...look, findings: look.findings.filter(({ id }) => isVital(id)) }, expected);
  const watch = new QuorumWatch(run, agents, { saw }, { pollMs: LOOK_MS });
  const over = new AbortController();
  void wakeAtChanges(run, workloads, wake, AbortSignal.any([run.signal, over.signal]));
  const until = (enough: (look: QuorumLook) => boolean) =>
    watch.until(() => expectationOf(run.config, workloads, undefined), wake, enough);
  try {
    await Promise.all(old.map((pod) => refresh.poke(pod, one.startMarker)));
    while (left.size > 0) {
      const done = old.length - left.size;
      run.known.left = { is: 'restarting', role: one.role, done, of: old.length };
      let next = '';
      await until((look) => {
        next = nextOf(look, [...left.keys()]);
        const may = mayStop({ workloads, name: next, isDataKept: true }, look);
        if (may === 'yes') return true;
        run.log.progress(
          `${next} has to wait: ${pendingOf(look, names) ?? 'too little is known'}`,
          'restart',
        );
        return false;
      });
      const pod = left.get(next) as PodView;
      const step = run.step(next);
      await handOver(run, { workloads, agents }, { awayFrom: next });
      await keepingChecks(run, tools, pod, () => startOne(run, one, pod, tools));
      await until((look) => {
        const why = pendingOf(look, names);
        step.waitsFor(why);
        return why === undefined;
      });
      run.log.settled('restart');
      tools.observer.startOver?.();
      step.done('restarted');
      left.delete(next);
    }
  } finally {
    over.abort();
  }
}

/** The last ordinal first, but the leader last of all: so leadership changes once. */
function nextOf({ evidence }: QuorumLook, left: readonly string[]): string {
  const leading = leadingServer(evidence);
  return left.findLast((name) => name !== leading) ?? left.at(-1) ?? '';
}

async function restartClients(run: Run, one: Restart, old: readonly PodView[], tools: Tools): Promise<void> {
  const { workloads, refresh } = tools;
  const limit = pLimit(PARALLEL);
  // All of them at once, so that nobody waits for a kubelet later.
  await Promise.all(old.map((pod) => limit(() => refresh.poke(pod, one.startMarker))));
  const all = workloads.pods('client').length;
  const size = batchSize(one.workload.desired, all, run.config.clientMaxUnavailable);
  const pods = old.toReversed();
  for (let at = 0; at < pods.length; at += size) {
    run.known.left = { is: 'restarting', role: one.role, done: at, of: pods.length };
    const wave = pods.slice(at, at + size);
    const names = wave.map(({ name }) => name);
    const step = run.wave(names, at, pods.length);
    await allOrFirst(
      run,
      wave.map((pod) => keepingChecks(run, tools, pod, () => startOne(run, one, pod, tools))),
    );
    step.done('restarted');
  }
}

/** Until the agent answers and knows a leader; false where its pod is gone, whose successor starts with the files as they are. */
async function startOne(
  run: Run,
  { role, marker, startMarker, started }: Restart,
  pod: PodView,
  { workloads, agents, cluster, refresh }: Tools,
): Promise<boolean> {
  const isThere = () => workloads.current(role, pod) !== undefined;
  const since = performance.now();
  const isLate = () => performance.now() - since > BACK_MS;
  for (let isStarted = false; isThere(); ) {
    try {
      if (!isStarted) {
        isStarted = await startAgain(run, { cluster, refresh }, pod, startMarker);
        agents.renew(pod);
      }
      if (await isBack(agents, pod, { marker, signal: run.signal })) {
        started.add(pod.uid);
        return true;
      }
    } catch (error) {
      run.signal.throwIfAborted();
      // A container that ends takes the command with it; why it ends is for the diagnosis to say.
      if (isThere() && (isDenied(error) || isLate())) throw error;
    }
    if (isStarted && isLate()) throw notBack(pod);
    await pause(LOOK_MS, run.signal);
  }
  return false;
}

function isDenied(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}

async function isBack(
  agents: Pick<Agents, 'client'>,
  pod: PodView,
  { marker, signal }: { marker: string; signal: AbortSignal },
): Promise<boolean> {
  const client = agents.client(pod);
  try {
    if (!(await metricsFilters(client, signal)).includes(marker)) return false;
    const { body } = await client.get('/v1/status/leader', { signal });
    return leaderAnswer.parse(body) !== '';
  } catch (error) {
    signal.throwIfAborted();
    if (!isPassing(error)) throw error;
    return false;
  }
}

function notBack({ name }: PodView): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the agent was restarted with its new configuration and does not answer as before after ${BACK_MS / 1000} s`,
    where: `Pod/${name}`,
    hint: 'See its log. All other agents run; correct the configuration where it complains of that, and deploy again, which goes on from there.',
  });
}
