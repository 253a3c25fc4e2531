import { describe, expect, test } from 'vitest';
import { rehearsalNamespace, rehearsalObjects } from '../../src/manifests/rehearsal.ts';
import { config } from '../session/fixture.ts';

interface PodSpec {
  automountServiceAccountToken: boolean;
  securityContext: object;
  containers: { image: string; args: string[]; ports?: unknown; securityContext: object }[];
  volumes: { emptyDir?: object }[];
}

describe('the namespace of a rehearsal', () => {
  test.each([
    ['consul', 'consul', 'consul-rehearsal'],
    ['apps', 'consul', 'apps-consul-rehearsal'],
    ['a'.repeat(63), 'consul', `${'a'.repeat(53)}-rehearsal`],
    [`${'a'.repeat(52)}-b`, 'consul', `${'a'.repeat(52)}-rehearsal`],
  ])('of %s and %s is a name that a namespace may have', (namespace, name, expected) => {
    const found = rehearsalNamespace({ namespace, name });
    expect(found).toBe(expected);
    expect(found).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    expect(found.length).toBeLessThanOrEqual(63);
  });
});

test('the server has the image of the deployment, no volume that stays, and no rights', () => {
  const { pod, namespace } = rehearsalObjects(config({ image: 'registry/consul:1.22.7' }), 'later');
  const spec = pod.spec as PodSpec;
  expect(spec.containers).toHaveLength(1);
  expect(spec.containers[0]?.image).toBe('registry/consul:1.22.7');
  expect(spec.volumes.every(({ emptyDir }) => emptyDir !== undefined)).toBe(true);
  expect(spec.automountServiceAccountToken).toBe(false);
  expect(pod.metadata.namespace).toBe(namespace.metadata.name);
  expect(namespace.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
});

test('nobody reaches the server over the network: it holds every secret of the snapshot', () => {
  const { pod } = rehearsalObjects(config(), 'later');
  const [container] = (pod.spec as PodSpec).containers;
  const { args = [] } = container ?? {};
  for (const flag of ['bind', 'client']) {
    expect(args.filter((one) => one.startsWith(`-${flag}=`))).toEqual([`-${flag}=127.0.0.1`]);
  }
  expect(args.filter((one) => /^-(advertise|https?-|grpc|serf|config)/.test(one))).toEqual([]);
  expect(container?.ports).toBeUndefined();
});
