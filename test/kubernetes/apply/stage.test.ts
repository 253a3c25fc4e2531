import { expect, test } from 'vitest';
import { stages } from '../../../src/kubernetes/apply/stage.ts';

const object = (kind: string, name = 'a') => ({ apiVersion: 'v1', kind, metadata: { name } });

test('orders kinds, keeps servers and clients together, and leaves no stage empty', () => {
  const kinds = [
    'ValidatingWebhookConfiguration',
    'StatefulSet',
    'Certificate',
    'DaemonSet',
    'Job',
    'Service',
    'PodDisruptionBudget',
    'ConfigMap',
    'RoleBinding',
    'ServiceAccount',
    'Namespace',
    'StatefulSet',
    'Ingress',
    'CustomResourceDefinition',
  ];
  expect(stages(kinds.map((kind) => object(kind))).map((stage) => stage.map(({ kind }) => kind))).toEqual([
    ['Namespace'],
    ['CustomResourceDefinition'],
    ['ServiceAccount'],
    ['RoleBinding'],
    ['ConfigMap'],
    ['Service', 'PodDisruptionBudget'],
    ['Certificate'],
    ['StatefulSet', 'DaemonSet', 'StatefulSet'],
    ['Job'],
    ['Ingress'],
    ['ValidatingWebhookConfiguration'],
  ]);
});

test('a kind named like the placeholder is only unknown', () => {
  expect(stages([object('*'), object('toString')])).toEqual([[object('*'), object('toString')]]);
});
