import pLimit from 'p-limit';
import { isPassing } from '../../consul/failure.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { PodView } from '../../rollout/pod.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import type { Run } from '../../session/run.ts';
import { catchUpChecks } from '../registrations/check-states.ts';
import type { Refresh } from '../reload/refresh-files.ts';
import { batchSize } from '../replacement/batch.ts';
import { NewConfiguration } from './new-configuration.ts';
import { OneRestart, type RestartTools, type RoleRestart } from './restart-one.ts';
import { restartServers } from './restart-servers.ts';
import type { Restart } from './restarts.ts';

const PARALLEL = 16;

/**
 * Has every agent that runs start with its configuration, in its pod: it keeps its address, its data and what is registered
 * there. Servers one at a time, each only while Raft can do without it, the leader last; then clients in waves.
 * @param isProven the cluster is; before that it may be without a leader
 */
export async function restartAgents(
  run: Run,
  all: readonly Restart[],
  tools: RestartTools & { refresh: Refresh },
  { isProven = false } = {},
): Promise<void> {
  if (all.length === 0) return;
  await tools.workloads.untilSynced(run.signal);
  const done: string[] = [];
  for (const one of all) {
    const restart = { ...one, renewal: new NewConfiguration(run, one, tools) };
    const old = await oldAgents(restart, tools);
    if (old.length > 0) one.catchUp.isDue = true;
    if (old.length > 0 || one === all[0]) await catchUp(run, one, tools, isProven);
    if (old.length === 0) continue;
    await restartRole(run, restart, old, tools);
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

/** Those of the role that run, and not with what is new. */
export async function oldAgents(
  { role, renewal }: RoleRestart,
  { workloads }: Pick<RestartTools, 'workloads'>,
): Promise<PodView[]> {
  const pods = workloads.pods(role);
  const limit = pLimit(PARALLEL);
  const isDue = await Promise.all(pods.map((pod) => limit(() => renewal.isDue(pod))));
  return pods.filter((_, at) => isDue[at]);
}

/** @param old its agents that are to start again */
export async function restartRole(
  run: Run,
  one: RoleRestart & { workload: PlannedObject },
  old: readonly PodView[],
  tools: RestartTools,
): Promise<void> {
  const { role, renewal } = one;
  run.known.changed = true;
  const tellDone = (done: number) => {
    run.known.left = { is: renewal.left, role, done, of: old.length };
  };
  if (role === 'server') await restartServers(run, one, old, { ...tools, tellDone });
  else await restartClients(run, one, old, { ...tools, tellDone });
}

async function restartClients(
  run: Run,
  one: RoleRestart & { workload: PlannedObject },
  old: readonly PodView[],
  tools: RestartTools & { tellDone: (done: number) => void },
): Promise<void> {
  const limit = pLimit(PARALLEL);
  // All of them at once, so that nobody waits for a kubelet later.
  await Promise.all(old.map((pod) => limit(() => one.renewal.announce(pod))));
  const all = tools.workloads.pods('client').length;
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
    await one.renewal.after(wave);
  }
}

/** What it starts with is there by now, or is waited for. */
async function restartClient(client: OneRestart): Promise<void> {
  for (;;) {
    await client.prepare();
    if ((await client.now()) !== 'not now') return;
    await client.untilThere();
  }
}
