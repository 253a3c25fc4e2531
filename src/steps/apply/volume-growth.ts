import { isSmaller, type Resized, resizedTemplates } from '../../change/volume-size.ts';
import { podNames, podsOf } from '../../change/workload.ts';
import { Failure } from '../../failure.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { applyObject } from '../../kubernetes/apply/apply.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { readLive } from '../../kubernetes/read.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { requirePermissions } from '../preflight/permissions.ts';

/** Claims of one StatefulSet that should have another size than its template says. */
interface Growth {
  claims: { name: string; namespace: string }[];
  resized: Resized;
  where: string;
}

interface ClaimSpec {
  storageClassName?: string;
  resources?: { requests?: { storage?: string } };
}

/**
 * The claims that have to grow, each dry-run, since a claim template can never be changed. Writes nothing.
 * @param objects before their templates were fitted to the live ones
 * @throws Failure `immutable-field` where a volume is to shrink, or its class does not let it grow
 */
export async function planGrowth(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  planned: readonly PlannedObject[],
): Promise<PlannedObject[]> {
  const found: PlannedObject[] = [];
  for (const growth of growthsOf(run, objects, planned)) {
    const { resized, where, claims } = growth;
    if (isSmaller(resized.to, resized.from)) throw cannotShrink(where, resized.from, resized.to);
    await checkPermissions(run, cluster, claims);
    for (const { name, namespace } of claims) {
      const claim = await readClaim(run, cluster, name, namespace);
      if (claim) found.push(...(await grown(run, cluster, claim, resized)));
    }
  }
  return found;
}

/** Of objects that are ours; one that is taken over may be recreated, and its volumes keep their size. */
export function growthsOf(
  { config }: Pick<Run, 'config'>,
  objects: readonly KubernetesObject[],
  planned: readonly PlannedObject[],
): Growth[] {
  return planned.flatMap(({ desired, live, predicted, adopting }) => {
    const { kind, metadata } = desired;
    const asked = objects.find((one) => one.kind === kind && one.metadata.name === metadata.name);
    if (!live || !asked || adopting) return [];
    const namespace = metadata.namespace ?? config.namespace;
    const pods = podNames(live, 0, Math.max(podsOf(live), podsOf(predicted)));
    return resizedTemplates(asked, live).map((resized) => ({
      resized,
      where: objectName(desired),
      claims: pods.toReversed().map((pod) => ({ name: `${resized.template}-${pod}`, namespace })),
    }));
  });
}

async function checkPermissions(run: Run, cluster: Cluster, claims: Growth['claims']): Promise<void> {
  const [namespace = run.config.namespace] = claims.map((claim) => claim.namespace);
  await requirePermissions(run, cluster, growthPermissions(namespace));
}

export function growthPermissions(namespace: string): AccessCheck[] {
  return ['get', 'patch'].map((verb) => ({ verb, group: '', resource: 'persistentvolumeclaims', namespace }));
}

/** Undefined for one that its pod has yet to make. */
export async function readClaim(
  run: Run,
  cluster: Cluster,
  name: string,
  namespace: string,
): Promise<KubernetesObject | undefined> {
  const asked = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace } };
  try {
    return await readLive(cluster, asked, run.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    throw apiFailure(error, { verb: 'get', object: objectName(asked) });
  }
}

async function grown(
  run: Run,
  cluster: Cluster,
  live: KubernetesObject,
  { to }: Resized,
): Promise<PlannedObject[]> {
  const { storageClassName, resources } = (live.spec ?? {}) as ClaimSpec;
  const from = resources?.requests?.storage ?? '';
  if (isSmaller(to, from)) throw cannotShrink(objectName(live), from, to);
  if (!isSmaller(from, to)) return [];
  if (storageClassName && (await canExpand(run, cluster, storageClassName)) === false) {
    throw cannotGrow(live, from, to);
  }
  const { name, namespace } = live.metadata;
  const desired: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: { resources: { requests: { storage: to } } },
  };
  try {
    // The controller that made the claim owns its size.
    const options = { dryRun: true, force: true, signal: run.signal };
    const { object } = await applyObject(cluster, desired, options);
    return [{ desired, live, predicted: object, action: 'change', force: true, unverified: false }];
  } catch (error) {
    run.signal.throwIfAborted();
    // The words of the admission plugin PersistentVolumeClaimResize.
    if (error instanceof ApiError && /can be resized/.test(error.message)) throw cannotGrow(live, from, to);
    throw apiFailure(error, { verb: 'patch', object: objectName(desired) });
  }
}

/** Undefined where the class may not be read, or is gone: then the dry run tells. */
async function canExpand(
  run: Run,
  { transport }: Cluster,
  storageClass: string,
): Promise<boolean | undefined> {
  try {
    const path = `/apis/storage.k8s.io/v1/storageclasses/${encodeURIComponent(storageClass)}`;
    const { body } = await transport.request<{ allowVolumeExpansion?: boolean }>({
      method: 'GET',
      path,
      signal: run.signal,
    });
    return body.allowVolumeExpansion === true;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw apiFailure(error, { verb: 'get', object: `StorageClass/${storageClass}` });
  }
}

function cannotShrink(where: string, from: string, to: string): Failure {
  return new Failure({
    reason: 'immutable-field',
    what: `a volume of ${from} cannot shrink to ${to}`,
    where,
    hint: `Nothing was changed. Set \`server-storage: ${from}\` again. For smaller volumes, save a snapshot (\`consul snapshot save\`), deploy under another \`name\`, and restore it there.`,
  });
}

function cannotGrow(claim: KubernetesObject, from: string, to: string): Failure {
  const { storageClassName } = (claim.spec ?? {}) as ClaimSpec;
  const which = storageClassName ? `its StorageClass ${storageClassName}` : 'its StorageClass';
  return new Failure({
    reason: 'immutable-field',
    what: `the volume cannot grow from ${from} to ${to}: ${which} does not allow it (allowVolumeExpansion)`,
    where: objectName(claim),
    hint: `Nothing was changed. Set \`server-storage: ${from}\` again; or, where the driver of the class can do it, have \`allowVolumeExpansion: true\` set in the class. Otherwise save a snapshot (\`consul snapshot save\`), deploy under another \`name\` with the new size, and restore it there.`,
  });
}
