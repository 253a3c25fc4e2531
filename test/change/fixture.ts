import type { KubernetesObject, ManagedFields } from '../../src/kubernetes/object.ts';

export const MANAGER = 'consul-deploy';

export function managed(fieldsV1: Record<string, unknown>, rest: Partial<ManagedFields> = {}): ManagedFields {
  return {
    manager: MANAGER,
    operation: 'Apply',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...rest,
  };
}

/** As the API server returns it: with what it keeps about an object. */
export function stored(
  object: KubernetesObject,
  managedFields: ManagedFields[],
  version = '1',
): KubernetesObject {
  return {
    ...object,
    metadata: {
      uid: `uid of ${object.metadata.name}`,
      resourceVersion: version,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...object.metadata,
      managedFields,
    },
  };
}

interface Workload {
  kind?: string;
  name?: string;
  role?: 'server' | 'client';
  image?: string;
  replicas?: number;
  claims?: boolean;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

export function workload({
  kind = 'StatefulSet',
  role = 'server',
  name = `consul-${role}`,
  image = 'consul:1',
  replicas = 3,
  claims = true,
  spec = {},
  status,
}: Workload = {}): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'consul' },
    spec: {
      ...(kind !== 'DaemonSet' && { replicas }),
      template: {
        metadata: { labels: { app: 'consul', 'consul-role': role } },
        spec: {
          containers: [{ name: 'consul', image }],
          volumes: [{ name: 'config', configMap: { name: `${name}-config` } }],
        },
      },
      ...(claims && kind === 'StatefulSet' && { volumeClaimTemplates: [{ metadata: { name: 'data' } }] }),
      ...spec,
    },
    ...(status && { status }),
  };
}

export function configMap(data: Record<string, string>, name = 'consul-server-config'): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'consul' }, data };
}
