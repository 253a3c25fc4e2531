import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { secretDigest } from '../../secret/digest.ts';
import { GOSSIP_FILES } from '../gossip.ts';
import { CONFIG_DIGEST } from '../label.ts';
import { markConfiguration, markStart, startConfiguration } from './reload.ts';

/**
 * Writes the digest of each agent's configuration into the pod template that mounts it, after the patches have been
 * applied: a changed configuration rolls exactly the pods that read it. What agents can reload is not in the digest: the
 * configuration is marked instead, so that they tell which one they run. Everybody who sees the pods sees the digest, so
 * of Secrets it holds a slow hash.
 */
export function stampConfigDigest(objects: readonly KubernetesObject[]): void {
  for (const object of objects) markConfiguration(object, secretBeside(object, objects));
  for (const object of objects) {
    const template = podTemplate(object);
    const volumes = template?.spec?.volumes ?? [];
    const read = (volume: Volume) =>
      sourcesOf(volume).flatMap(({ kind, name }) => {
        return objects.filter((other) => other.kind === kind && other.metadata.name === name);
      });
    // Another projected volume is a patch's, and pods that run already have no digest of it.
    const sources = volumes.filter((volume) => !volume.projected || isOurs(volume)).flatMap(read);
    if (!template || sources.length === 0) continue;
    const all = createHash('sha256').update(sources.map(digestOf).join('\n'));
    const digest = all.digest('hex').slice(0, 16);
    template.metadata ??= {};
    template.metadata.annotations = { ...template.metadata.annotations, [CONFIG_DIGEST]: digest };
    for (const source of volumes.filter(isOurs).flatMap(read)) markStart(source, digest);
  }
}

interface Source {
  kind: 'ConfigMap' | 'Secret';
  name: string | undefined;
}

interface Volume {
  configMap?: { name?: string };
  projected?: {
    sources?: { configMap?: { name?: string }; secret?: { name?: string; items?: { path?: string }[] } }[];
  };
}

interface PodTemplate {
  metadata?: { annotations?: Record<string, string> };
  spec?: { volumes?: Volume[] };
}

/** By the files for gossip, which no other volume has. */
function isOurs({ projected }: Volume): boolean {
  return (projected?.sources ?? []).some(({ secret }) =>
    secret?.items?.some(({ path }) => path === GOSSIP_FILES.config),
  );
}

function sourcesOf({ configMap, projected }: Volume): Source[] {
  const projections = projected?.sources ?? [];
  return [
    ...(configMap ? [{ kind: 'ConfigMap', name: configMap.name } as const] : []),
    ...projections.flatMap((one): Source[] => [
      ...(one.configMap ? [{ kind: 'ConfigMap', name: one.configMap.name } as const] : []),
      ...(one.secret ? [{ kind: 'Secret', name: one.secret.name } as const] : []),
    ]),
  ];
}

function digestOf(source: KubernetesObject): string {
  if (source.kind === 'Secret') return secretDigest(source);
  const entries = [startConfiguration(source), source.binaryData].map((part) =>
    Object.entries(part ?? {}).sort(),
  );
  return JSON.stringify(entries);
}

/** A fragment of the user's that holds secrets is in a Secret of the same name. */
function secretBeside(
  { metadata: { name, namespace } }: KubernetesObject,
  objects: readonly KubernetesObject[],
): KubernetesObject | undefined {
  return objects.find(({ kind, metadata }) => {
    return kind === 'Secret' && metadata.name === name && metadata.namespace === namespace;
  });
}

function podTemplate(object: KubernetesObject): PodTemplate | undefined {
  return (object.spec as { template?: PodTemplate } | undefined)?.template;
}
