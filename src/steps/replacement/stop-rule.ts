import { catchUpOf } from '../../consul/quorum/catch-up.ts';
import type { Finding } from '../../consul/quorum/finding.ts';
import { isCounted, quorumWithout } from '../../consul/quorum/voter-loss.ts';
import type { Workloads } from '../../session/workloads.ts';
import type { QuorumLook } from '../proof/quorum-watch.ts';

/** Versions differ while servers are replaced, and members are the clients' matter too. */
export function isVital(id: string): boolean {
  return id !== 'quorum-version' && id !== 'quorum-members';
}

/**
 * What the servers still lack before the next of them may be stopped; undefined: nothing. What they say of their own logs
 * counts more than what autopilot says of them, since that is up to two seconds old.
 */
export function pendingOf(
  { evidence, findings }: Pick<QuorumLook, 'evidence' | 'findings'>,
  names: readonly string[],
): string | undefined {
  const catchUp = catchUpOf(evidence, names);
  const isOpen = ({ id, passed }: Finding) =>
    !passed && isVital(id) && !(id === 'quorum-tolerance' && catchUp.state !== 'unknown');
  return findings.find(isOpen)?.observed ?? (catchUp.state === 'behind' ? catchUp.why : undefined);
}

/** A container that will not start by waiting longer; `ContainerCreating` and the like will. */
const BROKEN =
  /BackOff|ErrImage|InvalidImageName|CreateContainer\w{0,20}Error|RunContainerError|Unschedulable/;

export interface Stopping {
  workloads: Pick<Workloads, 'synced' | 'pods' | 'serverNames'>;
  name: string;
  /** Whether its data outlives its pod: it is on a volume, or nobody needs it. */
  isDataKept: boolean;
}

/**
 * Whether this server may be stopped now. `yes`: Raft can do without it, or its agent does not run anyway, and
 * perhaps this very change repairs that. `stuck`: Raft does not count it, or nobody leads; an election or a returning
 * server ends that in a while, and if it lasts, waiting on helps nobody. `no`: it is needed, its data may be the only
 * copy, or too little is known.
 */
export function mayStop(
  { workloads, name, isDataKept }: Stopping,
  look: Pick<QuorumLook, 'evidence' | 'findings'>,
): 'yes' | 'stuck' | 'no' {
  if (!workloads.synced) return 'no';
  const pods = workloads.pods('server');
  const pod = pods.find((one) => one.name === name);
  if (!pod || (!pod.ready && BROKEN.test(pod.waiting ?? ''))) return 'yes';
  if (pendingOf(look, workloads.serverNames()) === undefined) return 'yes';
  if (!isDataKept) return 'no';
  const runs = (server: string) => pods.some((one) => one.name === server && one.phase === 'Running');
  // Those that do not run may be lost with their nodes, and this one is then all that is left.
  if (!workloads.serverNames().every(runs)) return 'no';
  const { evidence } = look;
  if (evidence.some(({ leader }) => leader)) {
    if (pod.ready) return 'no';
    const isNeeded = isCounted(evidence, name) !== false && quorumWithout(evidence, [name]).quorum !== 'kept';
    return isNeeded ? 'no' : 'stuck';
  }
  const silent = evidence.filter(({ leader }) => leader === undefined);
  const isKnown = evidence.length > silent.length && silent.every((one) => one.name === name);
  return isKnown ? 'stuck' : 'no';
}
