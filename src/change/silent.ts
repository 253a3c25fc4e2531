import type { KubernetesObject } from '../kubernetes/object.ts';
import { isSame } from './canonical.ts';
import { type Difference, differences, substance } from './difference.ts';
import { union } from './ownership.ts';

/** What changes beside the fields of ours: `owners` of fields, the `order` of a list, or fields of `others`. */
export type Silent = { kind: 'owners' | 'order'; fields: [] } | { kind: 'others'; fields: Difference[] };

/** Why an object is written none of whose fields of ours changes. */
export function silentChange(live: KubernetesObject, predicted: KubernetesObject): Silent {
  const managed = [live, predicted].flatMap(({ metadata }) => metadata.managedFields ?? []);
  const fields = differences(live, predicted, union(managed.filter(({ subresource }) => !subresource)));
  if (fields.length > 0) return { kind: 'others', fields };
  return { kind: isSame(substance(live), substance(predicted)) ? 'owners' : 'order', fields: [] };
}
