import type { Config } from '../../config/config.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { objectLabels, type Role } from '../label.ts';
import { agentConfigName } from '../name.ts';
import { AGENT_FILE, clientAgentConfig, serverAgentConfig } from './agent-config.ts';
import { fragmentFile, fragmentOf, isSecret } from './agent-secret.ts';

/**
 * The agents' configuration directory. Consul merges its files in the order of their names, so the user's
 * fragment comes second and wins. One that holds secrets is in a Secret instead.
 */
export function agentConfigMap(config: Config, role: Role): KubernetesObject {
  const own = role === 'server' ? serverAgentConfig(config) : clientAgentConfig(config);
  const fragment = fragmentOf(config, role);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: agentConfigName(config, role),
      namespace: config.namespace,
      labels: objectLabels(config, role),
    },
    data: {
      [AGENT_FILE]: `${JSON.stringify(own, null, 2)}\n`,
      ...(fragment && !isSecret(fragment) && { [fragmentFile(fragment)]: fragment.text }),
    },
  };
}
