import { describe, expect, test } from 'vitest';
import type { KubernetesObject, ManagedFields } from '../../../src/kubernetes/object.ts';
import type { AdoptPolicy } from '../../../src/kubernetes/ownership/adoption.ts';
import type { Conflict } from '../../../src/kubernetes/ownership/conflict.ts';
import { decide, isApplied, takenOver, withoutTaken } from '../../../src/kubernetes/ownership/ownership.ts';

const REPLICAS = '.spec.replicas';
const IMAGE = '.spec.template.spec.containers[name="consul"].image';

function conflict(manager: string, field: string, subresource?: string): Conflict {
  const who = { manager, ...(subresource !== undefined && { subresource }) };
  return { object: 'StatefulSet/consul-client', field, ...who, live: '1', wanted: '2' };
}

describe('who gets a field', () => {
  test.each<[string, Conflict, AdoptPolicy | undefined, 'take' | 'yield' | 'fail']>([
    // Of an object that is ours, a person's edit is for a person to decide.
    ['kubectl edit of ours', conflict('kubectl-edit', REPLICAS), undefined, 'fail'],
    ['kubectl scale of ours', conflict('kubectl', REPLICAS, 'scale'), undefined, 'fail'],
    ['kubectl apply of ours', conflict('kubectl-client-side-apply', IMAGE), undefined, 'fail'],
    ['helm of ours', conflict('helm', IMAGE), undefined, 'fail'],
    ['another applier of ours', conflict('other', IMAGE), undefined, 'fail'],
    // Controllers do what they are there for.
    ['an HPA', conflict('kube-controller-manager', REPLICAS, 'scale'), undefined, 'yield'],
    [
      'an HPA on what is taken over',
      conflict('kube-controller-manager', REPLICAS, 'scale'),
      'if-unowned',
      'yield',
    ],
    ['KEDA', conflict('keda-operator', REPLICAS, 'scale'), undefined, 'yield'],
    [
      'the VPA',
      conflict('vpa-updater', '.spec.template.spec.containers[name="consul"].resources.limits', undefined),
      undefined,
      'yield',
    ],
    [
      'the CA injector',
      conflict('cert-manager-cainjector', '.webhooks[name="a"].clientConfig.caBundle'),
      undefined,
      'yield',
    ],
    ['a controller beyond its field', conflict('kube-controller-manager', IMAGE), undefined, 'fail'],
    ['the VPA beyond its field', conflict('vpa-updater', REPLICAS), undefined, 'fail'],
    ['a name that only begins like it', conflict('kube-controller-manager-2', REPLICAS), undefined, 'fail'],
    // With an object that is taken over come the fields of those who made it.
    ['kubectl apply', conflict('kubectl-client-side-apply', IMAGE), 'if-unowned', 'take'],
    ['kubectl apply --server-side', conflict('kubectl', IMAGE), 'if-unowned', 'take'],
    ['kubectl create', conflict('kubectl-create', IMAGE), 'if-unowned', 'take'],
    ['kubectl replace', conflict('kubectl-replace', IMAGE), 'if-unowned', 'take'],
    ['kubectl edit', conflict('kubectl-edit', IMAGE), 'if-unowned', 'take'],
    ['before managers were kept', conflict('before-first-apply', IMAGE), 'if-unowned', 'take'],
    ['helm', conflict('helm', IMAGE), 'if-unowned', 'take'],
    ['somebody else', conflict('terraform', IMAGE), 'if-unowned', 'fail'],
    ['a name that only begins like it', conflict('kubectlx', IMAGE), 'if-unowned', 'fail'],
    ['somebody else, by the word of the user', conflict('terraform', IMAGE), 'always', 'take'],
  ])('%s', (_, given, adopting, expected) => {
    expect(decide(given, { forceConflicts: [], adopting })).toBe(expected);
  });

  test('force-conflicts goes before everything', () => {
    const hpa = conflict('kube-controller-manager', REPLICAS, 'scale');
    expect(decide(hpa, { forceConflicts: ['StatefulSet/*:.spec.replicas'] })).toBe('take');
  });

  test('what may not be left to a controller fails', () => {
    const hpa = conflict('kube-controller-manager', REPLICAS, 'scale');
    expect(decide(hpa, { forceConflicts: [], mayYield: () => false })).toBe('fail');
  });
});

function entry(manager: string, fields: string[], change: Partial<ManagedFields> = {}): ManagedFields {
  const fieldsV1 = { 'f:spec': Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) };
  return { manager, operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, ...change };
}

function service(...managedFields: ManagedFields[]): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'consul-ui', managedFields } };
}

const ours = (...fields: string[]) => entry('consul-deploy', fields, { operation: 'Apply' });

describe('isApplied', () => {
  test.each([
    [service(ours('type')), true],
    [service(), false],
    [{ metadata: { name: 'a' } }, false],
    [service(entry('consul-deploy', ['type'])), false],
    [service(entry('kubectl', ['type'], { operation: 'Apply' })), false],
    [service(entry('consul-deploy', [], { operation: 'Apply', subresource: 'status' })), false],
  ])('%j: %s', (object, expected) => {
    expect(isApplied(object)).toBe(expected);
  });
});

describe('takenOver', () => {
  const status = entry('kube-controller-manager', ['loadBalancer'], { subresource: 'status' });
  const scale = entry('kubectl', ['replicas'], { subresource: 'scale' });
  const old = entry('kubectl-create', ['type'], { apiVersion: 'v1beta1' });
  const flux = entry('kustomize-controller', ['ports'], { operation: 'Apply' });
  const other = entry('terraform', ['type']);

  test('makes one entry of ours of what they own, and leaves the others as they are', () => {
    const before = [
      status,
      entry('kubectl-client-side-apply', ['type']),
      scale,
      old,
      entry('kubectl', ['ports'], { operation: 'Apply' }),
      flux,
      other,
    ];
    expect(takenOver(service(...before), 'if-unowned')).toEqual([
      status,
      scale,
      old,
      flux,
      other,
      ours('type', 'ports'),
    ]);
  });

  test('adds to what is ours already', () => {
    const before = service(ours('a'), entry('helm', ['b']));
    expect(takenOver(before, 'if-unowned')).toEqual([ours('a', 'b')]);
  });

  test('under `always` also what others have applied, but no update of a controller', () => {
    const before = [status, flux, other];
    expect(takenOver(service(...before), 'always')).toEqual([status, other, ours('ports')]);
  });

  test.each([
    ['nobody', []],
    ['only us', [ours('a')]],
    ['only others', [status, scale, old, flux, other]],
  ])('has nothing to do where there is %s', (_, before) => {
    expect(takenOver(service(...before), 'if-unowned')).toBeUndefined();
  });
});

describe('withoutTaken', () => {
  const spec = { type: 'ClusterIP', ports: 1, sessionAffinity: 'None', externalName: 'x' };
  const kubectl = entry('kubectl-client-side-apply', ['ports', 'sessionAffinity']);
  const other = entry('terraform', ['sessionAffinity', 'externalName']);

  test('is without what only those who are taken over owned, and without them', () => {
    const before = { ...service(ours('type'), kubectl, other), spec };
    expect(withoutTaken(before, 'if-unowned')).toEqual({
      ...service(other, ours('type')),
      spec: { type: 'ClusterIP', sessionAffinity: 'None', externalName: 'x' },
    });
  });

  test('is the same where nobody is', () => {
    const before = { ...service(ours('type'), other), spec };
    expect(withoutTaken(before, 'if-unowned')).toBe(before);
  });
});
