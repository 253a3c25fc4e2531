import { collectEvidence, type ServerEvidence } from '../consul/quorum/evidence.ts';
import type { Failure } from '../failure.ts';
import type { PlannedObject } from '../kubernetes/apply/plan.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Agents } from './agents.ts';
import { pause } from './pause.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

const AGAIN_MS = 1_000;

/** The servers that can be asked, ready or not, by ordinal. */
export function runningServers(workloads: Pick<Workloads, 'pods'>): PodView[] {
  return workloads.pods('server').filter(({ phase, ip }) => phase === 'Running' && ip !== undefined);
}

/** What each of these says, all asked at once. */
export function evidenceOfAll(
  pods: readonly PodView[],
  agents: Pick<Agents, 'client'>,
  signal: AbortSignal,
): Promise<ServerEvidence[]> {
  return Promise.all(pods.map((pod) => collectEvidence(agents.client(pod), signal)));
}

/** What it takes to ask every server that runs. */
export interface LiveServers {
  workloads: Pick<Workloads, 'pods' | 'untilSynced'>;
  agents: Pick<Agents, 'client'>;
}

/** What speaks against the next step. */
export interface Objection {
  /** For the log, while it may still pass. */
  why: string;
  failure: () => Failure;
}

/**
 * Asks every server that runs, once a second, until nothing speaks against the next step.
 * @param about the step, for the log
 * @throws what speaks against it when the time is over
 */
export async function untilServersAllow(
  run: Run,
  { workloads, agents }: LiveServers,
  { about, patienceMs }: { about: string; patienceMs: number },
  judge: (evidence: ServerEvidence[]) => Objection | undefined,
): Promise<void> {
  await workloads.untilSynced(run.signal);
  const until = performance.now() + patienceMs;
  for (;;) {
    const objection = judge(await evidenceOfAll(runningServers(workloads), agents, run.signal));
    if (!objection) return;
    if (performance.now() >= until) throw objection.failure();
    run.log.progress(`${about}: ${objection.why}`, about);
    await pause(AGAIN_MS, run.signal);
  }
}

/** The StatefulSet of the servers, planned or live. */
export function isServers(run: Run, { desired }: PlannedObject): boolean {
  return desired.kind === 'StatefulSet' && desired.metadata.name === `${run.config.name}-server`;
}
