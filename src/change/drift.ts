import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Drift, FieldChange } from '../report/result/change.ts';
import { secretDigest } from '../secret/digest.ts';
import { isContained } from './contained.ts';
import { type Difference, differences } from './difference.ts';
import { type Author, authorOf, makerOf } from './manager.ts';
import { fieldsOf, ownedFields } from './ownership.ts';
import { shown } from './shown.ts';

/** One object that was deployed, and what became of it. */
export interface Deployed {
  /** As it was applied. */
  manifest: KubernetesObject;
  /** Of the object that it made, where that is known. */
  uid?: string;
  /** Of the data of a Secret, where that is known. */
  digest?: string;
  /** Undefined when it is gone. */
  live?: KubernetesObject;
  /** What a forced apply of the manifest would make of the live object; undefined where that is refused. */
  predicted?: KubernetesObject;
}

export interface DriftRules {
  /** Our own. */
  manager: string;
  /** Whether a field is left to that manager, as a deploy leaves it. */
  isLeftTo: (field: string, manager: string) => boolean;
}

/**
 * How the object differs from what was deployed, one entry for each who changed it. Only fields that were deployed
 * count: what others add stays theirs.
 */
export function driftOf({ manifest, uid, digest, live, predicted }: Deployed, rules: DriftRules): Drift[] {
  const head = headOf(manifest);
  if (!live) return [{ ...head, what: 'missing', fields: [] }];
  const all = [...differing(manifest, live, predicted, rules.manager), ...changedData(live, digest)];
  const found = all.map((difference) => ({
    difference,
    // What was taken away has no owner any more.
    author: authorOf(live, difference.path),
  }));
  const drifted = found.filter(
    ({ difference, author }) => !author || !rules.isLeftTo(difference.path, author.manager),
  );
  const show = (fields: typeof drifted): FieldChange[] =>
    fields.flatMap(({ difference }) => shown(manifest.kind, difference));
  if (uid !== undefined && live.metadata.uid !== uid) {
    return [{ ...head, what: 'replaced', fields: show(drifted), ...told(makerOf(live)) }];
  }
  const groups = Map.groupBy(drifted, ({ author }) => JSON.stringify(author));
  return [...groups.values()].map((fields) => ({
    ...head,
    what: 'changed',
    fields: show(fields),
    ...told(fields[0]?.author),
  }));
}

/** An object that carries our labels and was not deployed. */
export function unexpected(live: KubernetesObject): Drift {
  return { ...headOf(live), what: 'unexpected', fields: [], ...told(makerOf(live)) };
}

function differing(
  manifest: KubernetesObject,
  live: KubernetesObject,
  predicted: KubernetesObject | undefined,
  manager: string,
): Difference[] {
  // The manifest of a Secret is kept without its data: an apply of it would own none.
  if (predicted) return differences(predicted, live, ownedFields([predicted], manager));
  return differences(manifest, live, fieldsOf(manifest)).filter(
    ({ before, after }) => !isContained(before, after),
  );
}

/** Of the data of a Secret nothing is known but its digest. */
function changedData(live: KubernetesObject, digest: string | undefined): Difference[] {
  if (digest === undefined || digest === secretDigest(live)) return [];
  return [{ path: '.data', before: {}, after: {} }];
}

/** `kubectl (scale)`, as conflicts name it. */
function told(author: Author | undefined): Pick<Drift, 'by' | 'at'> {
  if (!author) return {};
  const { manager, subresource, at } = author;
  const by = subresource === undefined ? manager : `${manager} (${subresource})`;
  return { by, ...(at !== undefined && { at }) };
}

function headOf({ kind, metadata }: KubernetesObject): Pick<Drift, 'kind' | 'name' | 'namespace'> {
  const { name, namespace } = metadata;
  return { kind, name, ...(namespace !== undefined && { namespace }) };
}
