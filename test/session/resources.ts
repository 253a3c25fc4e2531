import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** Kind -> its group, its name in paths, its scope. */
export const RESOURCES: Record<string, [group: string, resource: string, scope: 'Cluster' | 'Namespaced']> = {
  Namespace: ['', 'namespaces', 'Cluster'],
  ServiceAccount: ['', 'serviceaccounts', 'Namespaced'],
  ConfigMap: ['', 'configmaps', 'Namespaced'],
  Secret: ['', 'secrets', 'Namespaced'],
  Service: ['', 'services', 'Namespaced'],
  Pod: ['', 'pods', 'Namespaced'],
  PersistentVolumeClaim: ['', 'persistentvolumeclaims', 'Namespaced'],
  StatefulSet: ['apps', 'statefulsets', 'Namespaced'],
  DaemonSet: ['apps', 'daemonsets', 'Namespaced'],
  PodDisruptionBudget: ['policy', 'poddisruptionbudgets', 'Namespaced'],
  Lease: ['coordination.k8s.io', 'leases', 'Namespaced'],
  ClusterRole: ['rbac.authorization.k8s.io', 'clusterroles', 'Cluster'],
  Node: ['', 'nodes', 'Cluster'],
  ResourceQuota: ['', 'resourcequotas', 'Namespaced'],
  StorageClass: ['storage.k8s.io', 'storageclasses', 'Cluster'],
};

const COLLECTIONS = new Set(Object.values(RESOURCES).map(([, resource]) => resource));

export function isCollection(path: string): boolean {
  return COLLECTIONS.has(path.slice(path.lastIndexOf('/') + 1));
}

/** Of one namespace, or of all. */
export function isIn(collection: string, path: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return parent === collection || parent.replace(/\/namespaces\/[^/]+/, '') === collection;
}

export function pathOf({ kind, metadata }: Pick<KubernetesObject, 'kind' | 'metadata'>): string {
  const [group, resource, scope] = RESOURCES[kind] ?? ['', `${kind.toLowerCase()}s`, 'Namespaced'];
  const base = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  const within = scope === 'Namespaced' ? `/namespaces/${metadata.namespace ?? 'consul'}` : '';
  return `${base}${within}/${resource}/${metadata.name}`;
}

export function discoveryAnswer(path: string): unknown {
  const groups = new Set(Object.values(RESOURCES).map(([group]) => group));
  const items = [...groups]
    .filter((group) => (path === '/api') === (group === ''))
    .map((group) => ({
      metadata: { name: group },
      versions: [
        {
          version: 'v1',
          resources: Object.entries(RESOURCES)
            .filter(([, [of]]) => of === group)
            .map(([kind, [, resource, scope]]) => ({ resource, scope, responseKind: { kind } })),
        },
      ],
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items };
}

/** Whether these labels are selected by `a=b,c in (d,e)`; all are where nothing is asked for. */
export function isSelected(selector: string | null, labels: Readonly<Record<string, string>> = {}): boolean {
  const terms = (selector ?? '').match(/[^,(]+(\([^)]*\))?/g) ?? [];
  return terms.every((term) => {
    const [, key = '', values = ''] = /^\s*([^\s=]+)(?:=| in \()([^)]*)\)?$/.exec(term) ?? [];
    return values.split(',').includes(labels[key] ?? '');
  });
}
