import pLimit from 'p-limit';
import { ConsulError, isPassing } from '../../consul/failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { type EncryptionTools, LOOK_MS, PARALLEL } from './encryption-watch.ts';
import { isThere } from './in-pods/agent-pods.ts';

/** An agent whose connections begin anew is served within this. */
const SERVED_MS = 30_000;

/**
 * Until every agent reaches the servers: by a stream, for which agents use TLS only with servers that have told that they do
 * it, so that this may fail where all else works.
 */
export async function untilServed(
  run: Run,
  { agents, workloads }: Pick<EncryptionTools, 'agents' | 'workloads'>,
  pods: readonly PodView[],
): Promise<void> {
  const limit = pLimit(PARALLEL);
  await Promise.all(pods.map((pod) => limit(() => untilOneServed(run, { agents, workloads }, pod))));
}

async function untilOneServed(
  { signal }: Run,
  { agents, workloads }: Pick<EncryptionTools, 'agents' | 'workloads'>,
  pod: PodView,
): Promise<void> {
  for (const since = performance.now(); ; ) {
    try {
      await agents.client(pod).get<unknown>('/v1/health/service/consul?cached', { signal });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isThere(workloads, pod)) return;
      const mayPass = isPassing(error) || (error instanceof ConsulError && error.status >= 500);
      if (!mayPass || performance.now() - since > SERVED_MS) throw error;
    }
    await pause(LOOK_MS, signal);
  }
}
