import pLimit from 'p-limit';
import { isPassing } from '../../consul/failure.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import type { Run } from '../../session/run.ts';
import { catchUpChecks } from '../registrations/check-states.ts';
import { batchSize } from '../replacement/batch.ts';
import { isDenied, OneRestart, type RestartTools } from './restart-one.ts';
import { restartServers } from './restart-servers.ts';
import type { Restart } from './restarts.ts';
import { hasStartedWith } from './start-again.ts';

const PARALLEL = 16;

/**
 * Has every agent that runs start with its configuration, in its pod: it keeps its address, its data and what is registered
 * there. Servers one at a time, each only while Raft can do without it, the leader last; then clients in waves.
 * @param isProven the cluster is; before that it may be without a leader
 */
export async function restartAgents(
  run: Run,
  all: readonly Restart[],
  tools: RestartTools,
  { isProven = false } = {},
): Promise<void> {
  if (all.length === 0) return;
  await tools.workloads.untilSynced(run.signal);
  const done: string[] = [];
  for (const one of all) {
    const old = await oldAgents(run, one, tools);
    if (old.length > 0) one.catchUp.isDue = true;
    if (old.length > 0 || one === all[0]) await catchUp(run, one, tools, isProven);
    if (old.length === 0) continue;
    run.known.changed = true;
    const { role } = one;
    const tellDone = (some: number) => {
      run.known.left = { is: 'restarting', role, done: some, of: old.length };
    };
    if (role === 'server') await restartServers(run, one, old, { ...tools, tellDone });
    else await restartClients(run, one, old, { ...tools, tellDone });
    done.push(count(old.length, role));
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

/** Before agents are restarted, which may leave checks themselves. A cluster without a leader is for the proof to wait for. */
async function catchUp(run: Run, { catchUp }: Restart, tools: RestartTools, isProven: boolean) {
  if (!catchUp.isDue || catchUp.isDone) return;
  try {
    await catchUpChecks(run, tools);
    catchUp.isDone = true;
  } catch (error) {
    run.signal.throwIfAborted();
    if (isProven || !isPassing(error)) throw error;
    run.log.info(`Checks that a run before may have left are looked for later: ${Failure.from(error).what}`);
  }
}

/** Pods of an earlier template are about to be replaced, and one whose agent does not run starts with the files as they are. */
async function oldAgents(
  run: Run,
  { role, startMarker, started }: Restart,
  { workloads, cluster }: RestartTools,
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

async function restartClients(
  run: Run,
  one: Restart,
  old: readonly PodView[],
  tools: RestartTools & { tellDone: (done: number) => void },
): Promise<void> {
  const { workloads, refresh } = tools;
  const limit = pLimit(PARALLEL);
  // All of them at once, so that nobody waits for a kubelet later.
  await Promise.all(old.map((pod) => limit(() => refresh.poke(pod, one.startMarker))));
  const all = workloads.pods('client').length;
  const size = batchSize(one.workload.desired, all, run.config.clientMaxUnavailable);
  const pods = old.toReversed();
  for (let at = 0; at < pods.length; at += size) {
    tools.tellDone(at);
    const wave = pods.slice(at, at + size);
    const names = wave.map(({ name }) => name);
    const step = run.wave(names, at, pods.length);
    await allOrFirst(
      run,
      wave.map((pod) => restartClient(new OneRestart(run, one, pod, tools))),
    );
    step.done('restarted');
  }
}

/** Its files are there by now, or are waited for. */
async function restartClient(client: OneRestart): Promise<void> {
  while ((await client.now()) === 'not now') await client.untilFiles();
}
