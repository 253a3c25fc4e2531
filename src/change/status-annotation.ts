/**
 * Annotations in which platforms keep a status, whoever they say they are when they write it. Nobody decides them.
 * - GKE: https://cloud.google.com/kubernetes-engine/docs/how-to/standalone-neg#status, and what its Ingress controller
 *   notes of the load balancer that it made
 * - Rancher: https://github.com/rancher/rancher/issues/42058,
 *   https://github.com/rancher/terraform-provider-rancher2/issues/27
 */
const STATUS_ANNOTATIONS: readonly RegExp[] = [
  /^cloud\.google\.com\/neg-status$/,
  /^ingress\.kubernetes\.io\/(?:backends|forwarding-rule|https-forwarding-rule|target-proxy|https-target-proxy|url-map|ssl-cert|static-ip)$/,
  /^field\.cattle\.io\/publicEndpoints$/,
  /^cattle\.io\/(?:status|timestamp)$/,
  /^lifecycle\.cattle\.io\//,
  /^deployment\.kubernetes\.io\/revision$/,
];

/** The annotations that somebody decided on. */
export function decidedAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => !STATUS_ANNOTATIONS.some((pattern) => pattern.test(key))),
  );
}
