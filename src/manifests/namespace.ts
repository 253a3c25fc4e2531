import type { Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** Labelled with nothing but the manager: it may hold more than Consul. */
export function namespaceObject(config: Config): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: config.namespace, labels: { 'app.kubernetes.io/managed-by': 'consul-deploy' } },
  };
}
