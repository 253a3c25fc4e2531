import type { Entry } from '../consul/catalog.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { PlannedObject } from '../kubernetes/plan.ts';
import { ROLES, type Role } from './workloads.ts';

/**
 * Tells whether a service or a check stood in the agents' configuration and stands there no longer: it goes with the
 * change, and is meant to. The fragments may be HCL, so it is looked for as what it is in both languages, a quoted
 * string.
 */
export function takenAway(
  name: string,
  planned: readonly Pick<PlannedObject, 'desired' | 'live'>[],
): (role: Role, entry: Pick<Entry, 'kind' | 'id' | 'service'>) => boolean {
  const texts = new Map(
    ROLES.map((role) => {
      const found = planned.find(({ desired }) => {
        return desired.kind === 'ConfigMap' && desired.metadata.name === `${name}-${role}-config`;
      });
      return [role, { had: quotedIn(found?.live), has: quotedIn(found?.desired) }] as const;
    }),
  );
  return (role, { kind, id, service }) => {
    const text = texts.get(role);
    if (kind === 'node' || !text) return false;
    const words = [id, service, id.replace(/^service:/, '')].filter((word) => word !== '');
    return words.some((word) => text.had(word) && !text.has(word));
  };
}

/** Tells whether a word stands there in quotes; the text is looked through once, however many ask. */
function quotedIn(object: KubernetesObject | undefined): (word: string) => boolean {
  const { data = {} } = (object ?? {}) as { data?: Record<string, string> };
  const text = Object.values(data).join('\n');
  // Whatever stands between two quotes, also between the end of one string and the start of the next.
  const between = new Set(text.split('"').slice(1, -1));
  return (word) => {
    const quoted = JSON.stringify(word);
    return quoted === `"${word}"` ? between.has(word) : text.includes(quoted);
  };
}
