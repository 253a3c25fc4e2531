import type { KubernetesObject, ManagedFields } from '../kubernetes/object.ts';
import { some } from './consequence.ts';
import { type Element, element } from './element.ts';
import { type FieldTree, union } from './ownership.ts';

/** What an apply takes from other field managers, one line for each of them. */
export function takeovers(
  live: KubernetesObject | undefined,
  predicted: KubernetesObject,
  manager: string,
): string[] {
  const before = byManager(live, manager);
  const after = byManager(predicted, manager);
  return [...before].flatMap(([other, fields]) => {
    const lost = missing(fields, after.get(other), '');
    if (lost.length === 0) return [];
    return [`takes from "${other}": ${some(lost)}`];
  });
}

function byManager(object: KubernetesObject | undefined, own: string): Map<string, FieldTree> {
  const entries = new Map<string, ManagedFields[]>();
  for (const entry of object?.metadata.managedFields ?? []) {
    if (entry.manager === own || entry.subresource === 'status') continue;
    entries.set(entry.manager, [...(entries.get(entry.manager) ?? []), entry]);
  }
  return new Map([...entries].map(([name, all]) => [name, union(all)]));
}

/** Paths of the first tree that the second lacks. */
function missing(fields: FieldTree, others: FieldTree | undefined, path: string): string[] {
  const below = Object.keys(fields).flatMap((name): [string, Element][] => {
    const step = element(name);
    return step ? [[name, step]] : [];
  });
  if (below.length === 0) return others ? [] : [path];
  return below.flatMap(([name, step]) => missing(fields[name] ?? {}, others?.[name], path + step.text));
}
