/**
 * Pods that their controller will not make as long as others have not moved: it looks at the ordinals in batches of
 * 1, 2, 4, … and stops after a batch in which it met a pod whose volumes it cannot correct (`slowStartBatch` in
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/controller/statefulset/stateful_set_control.go).
 * @param pods by ordinal: `old` ones lack the volumes of the new template
 */
export function blockedOrdinals(pods: readonly ('old' | 'moved' | 'missing')[]): number[] {
  const old = pods.indexOf('old');
  return pods.flatMap((pod, ordinal) => {
    const batch = 2 ** Math.floor(Math.log2(ordinal + 1)) - 1;
    return pod === 'missing' && old >= 0 && old < batch ? [ordinal] : [];
  });
}
