import pLimit from 'p-limit';
import { reload } from '../../../consul/agent/reload.ts';
import { ConsulError } from '../../../consul/failure.ts';
import { whilePassing } from '../../../consul/patience.ts';
import { Failure } from '../../../failure.ts';
import type { PodView } from '../../../rollout/pod.ts';
import { pause } from '../../../session/pause.ts';
import type { Run } from '../../../session/run.ts';
import { type EncryptionTools, LOOK_MS, PARALLEL } from '../encryption-watch.ts';
import { isThere } from './agent-pods.ts';
import type { PodFiles } from './pod-files.ts';

/** An agent that has reloaded is at once as it is to be. */
const REACHED_MS = 30_000;

/** What agents that reload are to find, and to be. */
export interface ReloadedAs {
  files: PodFiles;
  revision: number;
  /** `outgoing`, for messages. */
  state: string;
  isReached: (pod: PodView) => Promise<boolean>;
}

/** Has agents read their files again, all at once, and waits until each is as it is to be. None is restarted. */
export async function reloadWith(
  run: Run,
  tools: EncryptionTools,
  pods: readonly PodView[],
  as: ReloadedAs,
): Promise<void> {
  const limit = pLimit(PARALLEL);
  // All have the files before the first reads them: one that lacks them would be told of before anything has changed.
  await as.files.ofAll(pods, as.revision, (pod, wait) => orGone(run, tools, pod, wait));
  await Promise.all(pods.map((pod) => limit(() => orGone(run, tools, pod, () => one(run, tools, pod, as)))));
}

async function one(run: Run, { agents }: EncryptionTools, pod: PodView, as: ReloadedAs): Promise<void> {
  const { signal } = run;
  const since = performance.now();
  for (;;) {
    try {
      await whilePassing({ signal }, (both) => reload(agents.client(pod), both));
    } catch (error) {
      throw error instanceof ConsulError && error.status === 500 ? refused(pod, error) : error;
    }
    if (await as.isReached(pod)) return;
    if (performance.now() - since > REACHED_MS) throw notReached(pod, as.state);
    await pause(LOOK_MS, signal);
  }
}

/** Its successor starts with the files as they are. */
export async function orGone(
  run: Run,
  { workloads }: Pick<EncryptionTools, 'workloads'>,
  pod: PodView,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    run.signal.throwIfAborted();
    if (isThere(workloads, pod)) throw error;
  }
}

function refused({ name }: PodView, error: ConsulError): Failure {
  return new Failure({
    reason: 'certificate',
    what: `the agent refuses its certificates: ${error.text}`,
    where: `Pod/${name}`,
    hint: 'It runs with those before. Deploy again, which reads and writes the Secrets anew.',
    cause: error,
  });
}

function notReached({ name }: PodView, state: string): Failure {
  return new Failure({
    reason: 'stalled',
    what: `the agent has read its files for TLS again and is not "${state}" after ${REACHED_MS / 1000} s`,
    where: `Pod/${name}`,
    hint: 'See its log. All other agents run and understand each other; deploy again, which goes on from there.',
  });
}
