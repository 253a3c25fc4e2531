import type { Step } from '../../change/step.ts';
import type { Entry } from '../../consul/catalog/catalog.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { agentConfigName } from '../../manifests/name.ts';
import { ROLES, type Role } from '../../session/workloads.ts';

/**
 * Tells whether a service or a check stood in the agents' configuration and stands there no longer: it goes with the
 * change, and is meant to. The fragments may be HCL, so it is looked for as what it is in both languages, a quoted
 * string.
 */
export function takenAway(
  name: string,
  planned: readonly Pick<Step, 'action' | 'desired' | 'live'>[],
): (role: Role, entry: Pick<Entry, 'kind' | 'id' | 'service'>) => boolean {
  const texts = new Map(
    ROLES.map((role) => {
      // A fragment moves into a Secret with the first secret in it, and back with the last.
      const found = planned.filter(({ desired: { kind, metadata } }) => {
        return (
          (kind === 'ConfigMap' || kind === 'Secret') && metadata.name === agentConfigName({ name }, role)
        );
      });
      const had = found.map(({ live }) => quotedIn(live));
      const has = found.map(({ action, desired }) => quotedIn(action === 'delete' ? undefined : desired));
      return [role, { had, has }] as const;
    }),
  );
  return (role, { kind, id, service }) => {
    const text = texts.get(role);
    if (kind === 'node' || !text) return false;
    const words = [id, service, id.replace(/^service:/, '')].filter((word) => word !== '');
    return words.some(
      (word) => text.had.some((quotes) => quotes(word)) && !text.has.some((quotes) => quotes(word)),
    );
  };
}

/** Tells whether a word stands there in quotes; the text is looked through once, however many ask. */
function quotedIn(object: KubernetesObject | undefined): (word: string) => boolean {
  const { data = {} } = (object ?? {}) as { data?: Record<string, string> };
  const values = Object.values(data);
  const texts =
    object?.kind === 'Secret' ? values.map((one) => Buffer.from(one, 'base64').toString()) : values;
  const text = texts.join('\n');
  // Whatever stands between two quotes, also between the end of one string and the start of the next.
  const between = new Set(text.split('"').slice(1, -1));
  return (word) => {
    const quoted = JSON.stringify(word);
    return quoted === `"${word}"` ? between.has(word) : text.includes(quoted);
  };
}
