import type { Entry } from '../consul/catalog.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { PlannedObject } from '../kubernetes/plan.ts';
import type { Role } from './workloads.ts';

/**
 * Whether a service or a check stood in the agents' configuration and stands there no longer: it goes with the change,
 * and is meant to. The fragments may be HCL, so it is looked for as what it is in both languages, a quoted string.
 */
export function isTakenAway(
  name: string,
  role: Role,
  { kind, id, service }: Pick<Entry, 'kind' | 'id' | 'service'>,
  planned: readonly Pick<PlannedObject, 'desired' | 'live'>[],
): boolean {
  if (kind === 'node') return false;
  const found = planned.find(({ desired }) => {
    return desired.kind === 'ConfigMap' && desired.metadata.name === `${name}-${role}-config`;
  });
  const [before, after] = [textOf(found?.live), textOf(found?.desired)];
  const words = [id, service, id.replace(/^service:/, '')].filter((word) => word !== '');
  return words.some((word) => has(before, word) && !has(after, word));
}

function has(text: string, word: string): boolean {
  return text.includes(JSON.stringify(word));
}

function textOf(object: KubernetesObject | undefined): string {
  const { data = {} } = (object ?? {}) as { data?: Record<string, string> };
  return Object.values(data).join('\n');
}
