import { describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectMeta } from '../../../src/kubernetes/object.ts';
import {
  type AdoptPolicy,
  claimsOn,
  refusalOf,
  refusedFailure,
} from '../../../src/kubernetes/ownership/adoption.ts';

function service(metadata: Partial<ObjectMeta> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'consul-server', ...metadata } };
}

const by = (manager: string, operation: 'Apply' | 'Update', subresource?: string) => ({
  managedFields: [
    {
      manager,
      operation,
      apiVersion: 'v1',
      fieldsType: 'FieldsV1' as const,
      fieldsV1: {},
      ...(subresource && { subresource }),
    },
  ],
});

const HELM = {
  annotations: { 'meta.helm.sh/release-name': 'vault', 'meta.helm.sh/release-namespace': 'consul' },
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
};
const owner = (controller: boolean) => ({
  ownerReferences: [{ apiVersion: 'x/v1', kind: 'ConsulCluster', name: 'main', uid: 'u', controller }],
});
/** https://github.com/hashicorp/consul-k8s/blob/v1.8.0/charts/consul/templates/server-statefulset.yaml */
const CHART = {
  labels: { app: 'consul', chart: 'consul-helm', heritage: 'Helm', release: 'consul', component: 'server' },
};

describe('claimsOn', () => {
  test.each<[string, Partial<ObjectMeta>, string[]]>([
    ['kubectl apply', by('kubectl-client-side-apply', 'Update'), []],
    ['kubectl apply --server-side', by('kubectl', 'Apply'), []],
    ['the manifests that people copy', { labels: { app: 'consul' } }, []],
    ['our own label', { labels: { 'app.kubernetes.io/managed-by': 'consul-deploy' } }, []],
    ['an owner that does not control it', owner(false), []],
    ['an applier of its status', by('other', 'Apply', 'status'), []],
    ['Helm', HELM, ['the Helm release "vault"']],
    ['an operator', owner(true), ['ConsulCluster/main']],
    [
      'a label',
      { labels: { 'app.kubernetes.io/managed-by': 'pulumi' } },
      ['"pulumi" (app.kubernetes.io/managed-by)'],
    ],
    [
      'Flux',
      { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' }, ...by('kustomize-controller', 'Apply') },
      ['the Flux Kustomization "apps"', 'the field manager "kustomize-controller"'],
    ],
    [
      'Argo CD',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'apps:/Service' } },
      ['the Argo CD application "apps:/Service"'],
    ],
  ])('of %s', (_, metadata, claims) => {
    expect(claimsOn(service(metadata))).toEqual(claims);
  });
});

describe('refusalOf', () => {
  test.each<[string, AdoptPolicy, Partial<ObjectMeta>, string | undefined]>([
    ['nobody claims it', 'if-unowned', {}, undefined],
    ['nobody claims it', 'always', {}, undefined],
    ['nobody claims it', 'never', {}, 'exists and was not deployed by this action'],
    ['Helm claims it', 'if-unowned', HELM, 'belongs to the Helm release "vault"'],
    ['Helm claims it', 'always', HELM, undefined],
    ['it is of the chart', 'if-unowned', CHART, 'was installed by the consul-k8s chart'],
    ['it is of the chart', 'always', CHART, 'was installed by the consul-k8s chart'],
    ['it is of the chart', 'never', CHART, 'was installed by the consul-k8s chart'],
    [
      'it is of the chart, by its older labels',
      'always',
      { labels: { app: 'consul', heritage: 'Helm' } },
      'was installed by the consul-k8s chart',
    ],
  ])('%s, %s', (_, policy, metadata, why) => {
    expect(refusalOf(service(metadata), policy)?.why).toBe(why);
  });
});

describe('the failure', () => {
  const of = (policy: AdoptPolicy, ...all: Partial<ObjectMeta>[]) =>
    refusedFailure(
      all.flatMap((metadata) => refusalOf(service(metadata), policy) ?? []),
      policy,
    );

  test('names every object and who claims it', () => {
    expect(of('if-unowned', HELM, owner(true))).toMatchObject({
      reason: 'not-owned',
      what: '2 objects exist that this action has not deployed',
      details: [
        'Service/consul-server belongs to the Helm release "vault"',
        'Service/consul-server belongs to ConsulCluster/main',
      ],
      hint: expect.stringContaining('adopt: always'),
    });
  });

  test('under `never` says which policy would do', () => {
    expect(of('never', {})).toMatchObject({
      what: 'an object exists that this action has not deployed',
      hint: expect.stringContaining('adopt: if-unowned'),
    });
  });

  test('of a chart explains it, and proposes no policy', () => {
    const failure = of('always', CHART);
    expect(failure).toMatchObject({ reason: 'adoption', what: expect.stringContaining('consul-k8s chart') });
    expect(failure.hint).not.toContain('adopt:');
  });
});
