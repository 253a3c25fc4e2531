import { applyObject } from '../../kubernetes/apply/apply.ts';
import { apiFailure } from '../../kubernetes/error.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isWritten } from '../../kubernetes/ownership/ownership.ts';
import { readObject } from '../../kubernetes/read.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { removedAsSeen, tellOutcome } from '../removal/removal.ts';

/** @throws Failure `forbidden` and others of the API server */
export async function readSecret(
  run: Run,
  cluster: Cluster,
  name: string,
): Promise<KubernetesObject | undefined> {
  const { namespace } = run.config;
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name };
  try {
    return await readObject(cluster, reference, run.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    throw apiFailure(error, { verb: 'get', object: `Secret/${name}` });
  }
}

/** @throws Failure; the Secret is written as it is given, and nothing else */
export async function writeSecret(run: Run, cluster: Cluster, secret: KubernetesObject): Promise<void> {
  cluster.transport.onObject?.(secret);
  try {
    await applyObject(cluster, secret, { force: true, signal: run.signal });
    run.known.changed = true;
  } catch (error) {
    run.signal.throwIfAborted();
    throw apiFailure(error, { verb: 'patch', object: `Secret/${secret.metadata.name}` });
  }
}

/** One of this name that somebody else has written stays. */
export async function removeSecret(run: Run, cluster: Cluster, name: string): Promise<void> {
  for (;;) {
    const live = await readSecret(run, cluster, name);
    if (!live) return;
    if (!isWritten(live)) {
      run.log.info(`Secret/${name} stays: this action has not written it`);
      tellOutcome(run, { kind: 'Secret', name, namespace: run.config.namespace }, 'kept');
      return;
    }
    if (await removedAsSeen(run, cluster, live)) return;
  }
}

/** From all that is printed from here on. */
export function hide({ transport }: Pick<Cluster, 'transport'>, secrets: readonly string[]): void {
  const data = Object.fromEntries(
    secrets.map((secret, at) => [String(at), Buffer.from(secret).toString('base64')]),
  );
  transport.onObject?.({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, data });
}
