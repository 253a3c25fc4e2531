import type { PlannedObject } from '../../kubernetes/apply/plan.ts';

/**
 * The ConfigMaps whose files move into a Secret. Pods that run read theirs from the ConfigMap until they are replaced: it
 * keeps them until then, so that an agent which starts again in the meantime finds its key. Pods that are new take the
 * Secret's file, which has the same name.
 */
export function movedOut(planned: readonly PlannedObject[]): PlannedObject[] {
  return planned.filter(({ desired, live, action }) => {
    if (desired.kind !== 'ConfigMap' || action !== 'change') return false;
    const secret = planned.find(({ desired: { kind, metadata } }) => {
      return (
        kind === 'Secret' &&
        metadata.name === desired.metadata.name &&
        metadata.namespace === desired.metadata.namespace
      );
    });
    const [before, after, moved] = [live, desired, secret?.desired].map((object) =>
      Object.keys(object?.data ?? {}),
    );
    const gone = (before ?? []).filter((file) => !after?.includes(file));
    // Another file would stand beside the new one, and agents would read both.
    return gone.length > 0 && gone.every((file) => moved?.includes(file));
  });
}
