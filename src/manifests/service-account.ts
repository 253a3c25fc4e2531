import type { Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { objectLabels, type Role } from './label.ts';
import { roleName } from './name.ts';

/** Agents never speak to the API server, so no token is mounted. */
export function serviceAccount(config: Config, role: Role): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: roleName(config, role),
      namespace: config.namespace,
      labels: objectLabels(config, role),
    },
    automountServiceAccountToken: false,
  };
}
