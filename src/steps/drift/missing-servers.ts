import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Cluster } from '../../session/cluster.ts';
import { expectationOf } from '../../session/expectation.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import { Wake } from '../../session/wake.ts';
import { QuorumWatch } from '../proof/quorum-watch.ts';
import { Triage } from '../triage/triage.ts';
import type { Comparison } from './compare.ts';

interface Spec {
  replicas?: number;
}

/** Why a proof would be in vain, however long it waits: servers that nothing in the cluster asks for any more. */
export function missingServers(
  run: Run,
  { deployed, live }: Pick<Comparison, 'deployed' | 'live'>,
): Failure | undefined {
  const name = `${run.config.name}-server`;
  const [wanted, found] = [deployed, live].map((objects) =>
    objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name),
  );
  const { replicas = 1 } = (wanted?.spec ?? {}) as Spec;
  const { replicas: asked = 1 } = (found?.spec ?? {}) as Spec;
  if (found && asked >= replicas) return undefined;
  const where = `StatefulSet/${name}`;
  return new Failure({
    reason: 'quorum',
    what: found
      ? `${where} asks for ${count(asked, 'server')}, and ${replicas} ${replicas === 1 ? 'was' : 'were'} deployed`
      : `${where} is gone`,
    where,
    hint: 'Find out who took them away. Then `mode: deploy` with the inputs of the last deploy brings them back.',
  });
}

/**
 * Ends the run where a proof would be in vain, once the servers that run have said what they see, for the report.
 * @throws Failure `quorum`
 */
export async function refuseMissing(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  comparison: Pick<Comparison, 'deployed' | 'live'>,
  { workloads, agents }: Live,
): Promise<void> {
  const lack = missingServers(run, comparison);
  if (!lack) return;
  if (workloads.has('server')) {
    const watch = new QuorumWatch(run, agents, new Triage(run, workloads, transport));
    await watch.until(
      () => expectationOf(run.config, workloads, undefined),
      new Wake(),
      () => true,
    );
  }
  throw lack;
}
