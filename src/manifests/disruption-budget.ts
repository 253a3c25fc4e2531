import type { Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { objectLabels, selectorLabels } from './label.ts';
import { roleName } from './name.ts';

/** Drains take as many servers at once as the quorum can miss; a lone server may always be moved. */
export function serverDisruptionBudget(config: Config): KubernetesObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: roleName(config, 'server'),
      namespace: config.namespace,
      labels: objectLabels(config, 'server'),
    },
    spec: {
      maxUnavailable: Math.max(1, (config.servers - 1) / 2),
      selector: { matchLabels: selectorLabels(config, 'server') },
    },
  };
}
