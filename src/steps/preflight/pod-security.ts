import { Failure } from '../../failure.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Run } from '../../session/run.ts';

const ENFORCED = 'pod-security.kubernetes.io/enforce';

/**
 * Pods that the Pod Security of the namespace will refuse. Of workloads the API server only warns, by the level of
 * `warn`; where that is the one it enforces, no pod would be made. https://kubernetes.io/docs/concepts/security/pod-security-admission/
 * @throws Failure `pod-refused`
 */
export function checkPodSecurity(
  run: Run,
  namespace: KubernetesObject | undefined,
  warnings: readonly string[],
): void {
  const { labels = {} } = (namespace?.metadata ?? {}) as { labels?: Record<string, string> };
  const level = labels[ENFORCED];
  if (level === undefined) return;
  const refusal = warnings.find((warning) => warning.includes(`would violate PodSecurity "${level}:`));
  run.check({
    id: 'cluster-pod-security',
    title: 'Pod Security',
    group: 'cluster',
    expected: `pods that meet ${level}`,
    observed: refusal ?? 'no warning',
    passed: refusal === undefined,
  });
  if (refusal === undefined) return;
  throw new Failure({
    reason: 'pod-refused',
    what: `pods would be refused: ${refusal}`,
    where: `Namespace/${run.config.namespace}`,
    hint: "Nothing was changed. Correct `patches` so that the pods meet the namespace's Pod Security level, or change its label.",
  });
}
