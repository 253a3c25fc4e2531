import { describe, expect, test } from 'vitest';
import {
  REHEARSAL_OF,
  REHEARSAL_UNTIL,
  rehearsalNamespace,
  rehearsalObjects,
} from '../../src/manifests/rehearsal.ts';
import { config } from '../session/fixture.ts';

interface PodSpec {
  automountServiceAccountToken: boolean;
  enableServiceLinks: boolean;
  restartPolicy: string;
  securityContext: object;
  nodeSelector: Record<string, string>;
  containers: {
    image: string;
    args: string[];
    env: { name: string; value: string }[];
    ports?: unknown;
    resources: object;
    securityContext: { readOnlyRootFilesystem: boolean };
    volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  }[];
  volumes: { name: string; emptyDir?: object }[];
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
  expect([pod, namespace].map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
    'v1 Pod',
    'v1 Namespace',
  ]);
});

test('whose rehearsal it is and until when stands at the namespace, for whoever finds one that was left', () => {
  const given = config({ namespace: 'apps', name: 'consul' });
  const { pod, namespace } = rehearsalObjects(given, '2026-11-30T22:00:00Z');
  expect(namespace.metadata.annotations).toEqual({
    [REHEARSAL_OF]: 'apps/consul',
    [REHEARSAL_UNTIL]: '2026-11-30T22:00:00Z',
  });
  for (const { metadata } of [pod, namespace]) {
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'consul-deploy' });
  }
});

test('the server can write where Consul and a restore do, though its root cannot be written to', () => {
  const { containers, volumes } = rehearsalObjects(config(), 'later').pod.spec as PodSpec;
  const [container] = containers;
  expect(container?.securityContext.readOnlyRootFilesystem).toBe(true);
  expect(container?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/consul/data', '/tmp']);
  expect(container?.volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
});

test('the server elects itself, in the datacenter of the snapshot, with as much memory as one of the deployment', () => {
  const given = config({ datacenter: 'east' });
  const spec = rehearsalObjects(given, 'later').pod.spec as PodSpec;
  const [container] = spec.containers;
  expect(container?.args).toEqual(
    expect.arrayContaining(['agent', '-server', '-bootstrap-expect=1', '-datacenter=east']),
  );
  expect(container?.resources).toEqual(given.serverResources);
  // The image's entry point changes owners otherwise, which a user that is not root cannot.
  expect(container?.env).toEqual([{ name: 'CONSUL_DISABLE_PERM_MGMT', value: 'true' }]);
  expect(spec).toMatchObject({
    // One that ends has failed, and must not come back without its data.
    restartPolicy: 'Never',
    enableServiceLinks: false,
    nodeSelector: { 'kubernetes.io/os': 'linux' },
  });
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
