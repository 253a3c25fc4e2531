import type { ConsulClient } from '../../consul/client.ts';
import { Failure } from '../../failure.ts';
import { ApiError } from '../../kubernetes/error.ts';
import type { PodView } from '../../rollout/pod.ts';

/** What agents of a role are to start with, and how one of them is made to, in its pod. */
export interface Renewal {
  /** For messages: `its new configuration`. */
  readonly what: string;
  /**
   * `leader-last`: leadership changes once. `ordinal`: the last ordinal first, as pods are replaced; where the first of them does
   * not come back, the next deploy begins with it, as the controller does.
   */
  readonly order: 'leader-last' | 'ordinal';
  /** How the report tells of a run that ends in the middle. */
  readonly left: 'restarting' | 'changing-image';
  /** Whether its agent runs, and not with this yet. */
  isDue(pod: PodView): Promise<boolean>;
  /** Has its node fetch what it needs, where that takes a while. */
  announce(pod: PodView): Promise<void>;
  /** Right before somebody asks whether its agent may stop. */
  prepare(pod: PodView): Promise<void>;
  /** Until the pod has what its agent is to start with. */
  untilThere(pod: PodView): Promise<void>;
  /**
   * Stops the agent at once, so that it starts with this, or not at all.
   * @returns `old`: nothing was done, since the pod does not have it; `unknown`: it has not been seen to start
   */
  startAgain(pod: PodView): Promise<'started' | 'old' | 'unknown'>;
  /** Whether it has started with this; of one that may be about to, after a while. */
  hasStarted(pod: PodView): Promise<boolean>;
  /** Whether the agent that answers is one that has started with this. */
  isAnsweredBy(agent: ConsulClient, signal: AbortSignal): Promise<boolean>;
  /** When these have started with it, and the cluster is as before. */
  after(pods: readonly PodView[]): Promise<void>;
  /** For an agent that does not start with it in time. */
  late(pod: PodView): Failure;
}

/** Nothing was stopped, and another try would be refused as well. */
export class CannotStartAgain extends Failure {}

export function isDenied(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}
