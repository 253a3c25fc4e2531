import { Failure } from '../../failure.ts';
import { FIELD_MANAGER, type KubernetesObject, objectName } from '../object.ts';

/** The input `adopt`: which objects that exist and were not deployed by this action it may take over. */
export type AdoptPolicy = 'if-unowned' | 'never' | 'always';

/** kubectl under each of its names: `kubectl-client-side-apply`, `kubectl-edit`, … */
export function isPerson(manager: string): boolean {
  return /^kubectl(-|$)/.test(manager);
}

/** An object that is not to be taken over, and why. */
export interface Refusal {
  object: KubernetesObject;
  why: string;
  /** It comes from the Helm chart of consul-k8s. */
  chart: boolean;
}

/** What tools of others put on everything that they look after. */
const TRACKS: readonly { key: string; who: string }[] = [
  { key: 'meta.helm.sh/release-name', who: 'the Helm release' },
  { key: 'argocd.argoproj.io/tracking-id', who: 'the Argo CD application' },
  { key: 'argocd.argoproj.io/instance', who: 'the Argo CD application' },
  { key: 'kustomize.toolkit.fluxcd.io/name', who: 'the Flux Kustomization' },
  { key: 'helm.toolkit.fluxcd.io/name', who: 'the Flux HelmRelease' },
];

/** Who has a claim on an object that this action has not applied, in words; nobody where it is empty. */
export function claimsOn({ metadata }: KubernetesObject): string[] {
  const { annotations = {}, labels = {}, ownerReferences = [], managedFields = [] } = metadata;
  const tracks = TRACKS.flatMap(({ key, who }) => {
    const name = annotations[key] ?? labels[key];
    return name === undefined ? [] : [`${who} "${name}"`];
  });
  const label = labels['app.kubernetes.io/managed-by'];
  const isClaim = label !== undefined && label !== FIELD_MANAGER && tracks.length === 0;
  const owner = ownerReferences.find(({ controller }) => controller);
  const managers = managedFields
    .filter(({ operation, subresource }) => operation === 'Apply' && !subresource)
    .filter(({ manager }) => manager !== FIELD_MANAGER && !isPerson(manager));
  const claims = [
    ...tracks,
    ...(isClaim ? [`"${label}" (app.kubernetes.io/managed-by)`] : []),
    ...(owner ? [`${owner.kind}/${owner.name}`] : []),
    ...managers.map(({ manager }) => `the field manager "${manager}"`),
  ];
  return [...new Set(claims)];
}

/** Whether it comes from the Helm chart of consul-k8s, whose objects need each other. */
export function isOfConsulChart({ metadata: { labels = {} } }: KubernetesObject): boolean {
  return /^consul-helm\b/.test(labels.chart ?? '') || (labels.heritage === 'Helm' && labels.app === 'consul');
}

/** Why an object that this action has not applied may not be taken over; undefined where it may. */
export function refusalOf(object: KubernetesObject, policy: AdoptPolicy): Refusal | undefined {
  if (isOfConsulChart(object)) return { object, why: 'was installed by the consul-k8s chart', chart: true };
  if (policy === 'always') return undefined;
  if (policy === 'never') return { object, why: 'exists and was not deployed by this action', chart: false };
  const claims = claimsOn(object);
  return claims.length === 0
    ? undefined
    : { object, why: `belongs to ${claims.join(' and to ')}`, chart: false };
}

/**
 * All of them in one message.
 * @param options.begun something has been applied already
 */
export function refusedFailure(
  refusals: readonly Refusal[],
  policy: AdoptPolicy,
  { begun = false } = {},
): Failure {
  const state = begun ? '' : 'Nothing was changed. ';
  const where = refusals.map(({ object }) => objectName(object)).join(', ');
  const details = refusals.map(({ object, why }) => `${objectName(object)} ${why}`);
  if (refusals.some(({ chart }) => chart)) {
    return new Failure({
      reason: 'adoption',
      what: 'this is a cluster of the consul-k8s chart, which cannot be taken over',
      where,
      hint: `${state}The chart's agents, certificates, ACLs and webhooks need each other and the chart. Stay with it, or deploy under another \`name\` or \`namespace\` and move.`,
      details,
    });
  }
  return new Failure({
    reason: 'not-owned',
    what: `${refusals.length === 1 ? 'an object exists that this action has' : `${refusals.length} objects exist that this action has`} not deployed`,
    where,
    hint:
      policy === 'never'
        ? `${state}\`adopt: if-unowned\` takes over what nobody else claims.`
        : `${state}Let the tool that owns them remove them, choose another \`name\` or \`namespace\`, or, when that tool is gone for good, take them over with \`adopt: always\`.`,
    details,
  });
}
