import { Failure, type FailureReason } from '../../failure.ts';

/** Then nothing is known of the cluster, and nothing of whether it heals. */
const NOT_OF_THE_CLUSTER: ReadonlySet<FailureReason> = new Set(['unreachable', 'unauthorized', 'forbidden']);

const HINT =
  'What is rendered heals by itself, so look for what is different here: the evidence below, `patches`, drift, the nodes, the network between them. Until it is found, repair it by hand as before (kubectl get pods, consul members).';

/** A fault that the cluster has not come back from. @param cause a verdict of the diagnosis, or what was missing */
export function notHealed(victim: string, cause: Failure | string, open: readonly string[]): Failure {
  if (typeof cause !== 'string' && NOT_OF_THE_CLUSTER.has(cause.reason)) return cause;
  const what = (why: string) => `${victim} was deleted, and the cluster did not heal: ${why}`;
  if (typeof cause === 'string') {
    return new Failure({
      reason: 'not-healed',
      what: what(cause),
      where: `Pod/${victim}`,
      hint: HINT,
      details: open,
    });
  }
  return new Failure({
    reason: 'not-healed',
    what: what(cause.what),
    where: cause.where ?? `Pod/${victim}`,
    hint: cause.hint ?? HINT,
    details: [`cause: ${cause.reason}`, ...cause.details],
    ...(cause.detection && { detection: cause.detection }),
    cause,
  });
}
