import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { withSecretDigest } from '../secret/digest.ts';
import { canonical } from './canonical.ts';
import type { Difference } from './difference.ts';
import { settled } from './settled.ts';
import type { Step } from './step.ts';

/** A step and what was found out about it. */
export interface DigestedStep {
  step: Step;
  fields: readonly Difference[];
  consequence: string;
}

/**
 * SHA-256 over what would be applied, the live state that was compared with it, and what comes of it. Equal for two
 * plans between which nothing was decided, however often controllers wrote.
 * @param beside what would be done that no object shows
 */
export function planDigest(steps: readonly DigestedStep[], beside: readonly string[] = []): string {
  const parts = steps.map(({ step, fields, consequence }) =>
    canonical({
      object: identity(step.desired),
      desired: step.action === 'delete' ? undefined : withSecretDigest(step.desired),
      live: step.live && {
        uid: step.live.metadata.uid,
        state: withSecretDigest(settled(step.live) as KubernetesObject),
      },
      consequence,
      // The digests say what changes in a Secret.
      fields: fields.map(({ path, before, after }) =>
        step.desired.kind === 'Secret' && !path.startsWith('.metadata.') ? { path } : { path, before, after },
      ),
    }),
  );
  const hash = createHash('sha256').update('consul-deploy plan 1\n');
  for (const part of [...parts.sort(), ...beside]) hash.update(part).update('\n');
  return `sha256:${hash.digest('hex')}`;
}

function identity({ apiVersion, kind, metadata }: KubernetesObject): string {
  return [apiVersion, kind, metadata.namespace ?? '', metadata.name].join(' ');
}
