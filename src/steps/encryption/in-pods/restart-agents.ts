import pLimit from 'p-limit';
import { isPassing } from '../../../consul/failure.ts';
import { leadingServer } from '../../../consul/quorum/leadership-transfer.ts';
import { Failure } from '../../../failure.ts';
import type { PodView } from '../../../rollout/pod.ts';
import { countOf } from '../../../session/allowance.ts';
import { pause } from '../../../session/pause.ts';
import type { Run } from '../../../session/run.ts';
import { keepingChecks } from '../../registrations/check-states.ts';
import { HandOvers } from '../../replacement/hand-overs.ts';
import { type EncryptionTools, type EncryptionWatch, LOOK_MS, PARALLEL } from '../encryption-watch.ts';
import { byRole, isThere } from './agent-pods.ts';
import { orGone } from './reload-agents.ts';
import { type AwaitedFiles, FILES_MS, markerOf, restartWith, untilFiles } from './restart.ts';

/** An agent is back within two seconds or so; one that is not has another trouble. */
const BACK_MS = 60_000;

/** One that was stopped by a command that nobody has heard the end of is back by then. */
const HEARD_MS = 5_000;

/** What restarted agents are to find, and to be. */
export interface RestartedAs {
  files: (pod: PodView) => readonly AwaitedFiles[];
  /** `sending`, for messages. */
  state: string;
  isReached: (pod: PodView) => Promise<boolean>;
}

/** One agent, again and again until `untilMs`. */
interface Tries extends RestartedAs {
  untilMs: number;
  /** Is asked at the last moment. */
  mayStop?: () => Promise<boolean>;
}

type Parts = { tools: EncryptionTools; watch: EncryptionWatch };

/**
 * Restarts agents in their pods: servers one at a time, the leader last; then clients in waves. All servers have the files
 * before it is asked whether the first may stop, and each is asked about once more at the last moment.
 */
export async function restartAgents(
  run: Run,
  { tools, watch }: Parts,
  pods: readonly PodView[],
  as: RestartedAs,
): Promise<void> {
  const { workloads, refresh } = tools;
  const limit = pLimit(PARALLEL);
  await Promise.all(pods.map((pod) => limit(() => refresh.poke(pod, markerOf(...as.files(pod))))));
  const { servers, clients: others } = byRole(workloads, pods);
  await Promise.all(servers.map((pod) => haveFiles(run, tools, pod, as)));
  if (servers.length > 0) await watch.untilAllAreThere();
  for (const pod of await leaderLast(watch, servers)) {
    const step = run.step(pod.name);
    await restartServer(run, { tools, watch }, pod, as);
    await watch.untilAllAreThere();
    step.done('restarted');
  }
  const clients = others.toReversed();
  const size = Math.max(countOf(run.config.clientMaxUnavailable, workloads.pods('client').length), 1);
  for (let at = 0; at < clients.length; at += size) {
    const wave = clients.slice(at, at + size);
    const names = wave.map(({ name }) => name);
    const step = run.wave(names, at, clients.length);
    await Promise.all(wave.map((pod) => restartClient(run, tools, pod, as)));
    step.done('restarted');
  }
}

function haveFiles(run: Run, tools: EncryptionTools, pod: PodView, as: RestartedAs): Promise<void> {
  return orGone(run, tools, pod, () => untilFiles(run, tools, pod, as.files(pod)));
}

async function restartServer(run: Run, { tools, watch }: Parts, pod: PodView, as: RestartedAs) {
  const handOvers = new HandOvers(run, tools, pod.name);
  const mayStop = async () => {
    const look = await watch.look();
    return watch.isComplete(look) && handOvers.areOver(look.evidence);
  };
  const tries = { ...as, mayStop, untilMs: performance.now() + FILES_MS };
  for (;;) {
    await handOvers.ask();
    if (await restart(run, tools, pod, tries)) return;
    await haveFiles(run, tools, pod, as);
    await watch.untilAllAreThere();
  }
}

/** Its files are there by now, or are waited for. */
async function restartClient(run: Run, tools: EncryptionTools, pod: PodView, as: RestartedAs): Promise<void> {
  const tries = { ...as, untilMs: performance.now() + FILES_MS };
  while (!(await restart(run, tools, pod, tries))) await haveFiles(run, tools, pod, as);
}

async function leaderLast(watch: EncryptionWatch, servers: readonly PodView[]): Promise<PodView[]> {
  if (servers.length === 0) return [];
  const { evidence } = await watch.look();
  const leading = leadingServer(evidence);
  return servers.toSorted((a, b) => Number(a.name === leading) - Number(b.name === leading));
}

/**
 * Until the agent is as it is to be, and its checks as they stood; or its pod is gone, whose successor starts with the files
 * as they are.
 * @returns false: the agent runs as before
 */
async function restart(run: Run, tools: EncryptionTools, pod: PodView, as: Tries): Promise<boolean> {
  const { workloads, agents } = tools;
  let isDone = true;
  const untilReached = async (limitMs: number) => {
    const since = performance.now();
    while (isThere(workloads, pod)) {
      // Each time through another connection, since one may have been made to the agent that ends.
      agents.renew(pod);
      if (await as.isReached(pod)) return true;
      if (performance.now() - since > limitMs) return false;
      await pause(LOOK_MS, run.signal);
    }
    return true;
  };
  const stop = async () => {
    try {
      return await restartWith(run, tools, pod, as.files(pod));
    } catch (error) {
      run.signal.throwIfAborted();
      if (!isPassing(error) || performance.now() > as.untilMs) throw error;
      return untilReached(HEARD_MS);
    }
  };
  const untilBack = async () => {
    if (!isThere(workloads, pod)) return false;
    isDone = (await as.mayStop?.()) !== false && (await stop());
    if (!isDone) return false;
    if (!(await untilReached(BACK_MS))) throw notBack(pod, as.state);
    return isThere(workloads, pod);
  };
  await orGone(run, tools, pod, () => keepingChecks(run, tools, pod, untilBack));
  return isDone;
}

function notBack({ name }: PodView, state: string): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the agent was restarted for its encryption and is not "${state}" after ${BACK_MS / 1000} s`,
    where: `Pod/${name}`,
    hint: 'See its log. All other agents run and understand each other; deploy again, which goes on from there.',
  });
}
