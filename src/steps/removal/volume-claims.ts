import { listIfAllowed, listObjects } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { selector } from '../../kubernetes/selector.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { DeployRecord } from '../record/record.ts';
import { removedAsSeen, tellOutcome } from './removal.ts';
import { whyHeld } from './take-down.ts';
import { PATIENCE_MS, untilGone } from './until-gone.ts';

/** Which volume claims a StatefulSet has made for its pods: it neither names them nor owns them. */
export interface Claims {
  namespace: string;
  /** `data-consul-server-`; an ordinal follows. */
  prefix: string;
  labels: Record<string, string>;
  /** How many pods it had at the end; higher ordinals are of pods that had left. Undefined where it is not known. */
  replicas?: number;
}

interface StatefulSetSpec {
  replicas?: number;
  selector?: { matchLabels?: Record<string, string> };
  volumeClaimTemplates?: { metadata: { name: string } }[];
}

/** Of every StatefulSet of the record; of the servers also where the record has no manifests. */
export function claimsOf({ config }: Pick<Run, 'config'>, { inventory, manifests }: DeployRecord): Claims[] {
  return inventory.entries
    .filter(({ kind }) => kind === 'StatefulSet')
    .flatMap(({ name, namespace = config.namespace }) => {
      const manifest = manifests.find(
        ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name,
      );
      const spec = (manifest?.spec ?? {}) as StatefulSetSpec;
      const isServer = name === `${config.name}-server`;
      const guessed = !manifest && isServer ? ['data'] : [];
      const templates = [
        ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name),
        ...guessed,
      ];
      const labels = spec.selector?.matchLabels ?? { app: config.name };
      return templates.map((template) => ({
        namespace,
        prefix: `${template}-${name}-`,
        labels,
        ...(isServer && spec.replicas !== undefined && { replicas: spec.replicas }),
      }));
    });
}

/** With `destroy-data` they go, and are waited for; otherwise they are named. */
export async function removeClaims(
  run: Run,
  cluster: Cluster,
  claims: readonly Claims[],
  patienceMs = PATIENCE_MS,
): Promise<void> {
  if (claims.length === 0) return;
  const found = await find(run, cluster, claims);
  if (!run.config.destroyData) {
    for (const claim of found) {
      const { name, namespace = '' } = claim.metadata;
      tellOutcome(run, { kind: 'PersistentVolumeClaim', name, namespace }, 'kept');
    }
    warnOfLeft(run, found, claims);
    return;
  }
  for (const claim of found) {
    if (await removedAsSeen(run, cluster, claim))
      run.log.info(`removed PersistentVolumeClaim/${claim.metadata.name}`);
  }
  await untilGone(
    run,
    async () => {
      const left = await find(run, cluster, claims);
      for (const claim of left) {
        // It has changed since it was seen, as a claim does when its pod goes.
        if (claim.metadata.deletionTimestamp === undefined) await removedAsSeen(run, cluster, claim);
      }
      return left.map((claim) => ({
        name: `PersistentVolumeClaim/${claim.metadata.name}`,
        why: whyHeld(claim),
      }));
    },
    patienceMs,
  );
}

/** The record goes, and with it what is known of servers that had left: a later deploy cannot tell their claims apart. */
function warnOfLeft(run: Run, found: readonly KubernetesObject[], claims: readonly Claims[]): void {
  const left = found
    .map(({ metadata }) => metadata.name)
    .filter((name) =>
      claims.some(({ prefix, replicas }) => {
        return replicas !== undefined && isOf(prefix, name) && Number(name.slice(prefix.length)) >= replicas;
      }),
    );
  if (left.length === 0) return;
  run.warn(
    `${left.join(', ')}: of servers that had left before. Remove these before a deploy with more servers: with their old log they could vote as the ones they were (kubectl -n ${run.config.namespace} delete pvc ${left.join(' ')}).`,
  );
}

async function find(
  run: Run,
  { transport }: Cluster,
  claims: readonly Claims[],
): Promise<KubernetesObject[]> {
  const found: KubernetesObject[] = [];
  for (const { namespace, prefix, labels } of claims) {
    const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
    const labelSelector = selector(labels);
    // The items of a list do not say what they are.
    const kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
    const project = (item: KubernetesObject) =>
      isOf(prefix, item.metadata.name) ? [{ ...item, ...kind }] : [];
    const list = run.config.destroyData ? listObjects : listIfAllowed;
    const listed = await list(transport, path, { labelSelector, metadataOnly: true, project }, run.signal);
    if (listed) found.push(...listed);
    else run.warn('Volume claims are kept, and may not be listed: look for them with kubectl get pvc.');
  }
  return found;
}

function isOf(prefix: string, name: string): boolean {
  return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
}
