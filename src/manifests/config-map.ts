import { createHash } from 'node:crypto';
import type { AgentConfigFragment, Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { clientAgentConfig, serverAgentConfig } from './agent-config.ts';
import { CONFIG_DIGEST, objectLabels, type Role } from './label.ts';
import { configMapName } from './name.ts';

/**
 * The agents' configuration directory. Consul merges its files in the order of their names, so the user's
 * fragment comes second and wins.
 */
export function agentConfigMap(config: Config, role: Role): KubernetesObject {
  const own = role === 'server' ? serverAgentConfig(config) : clientAgentConfig(config);
  const fragment = role === 'server' ? config.serverConfig : config.clientConfig;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: configMapName(config, role),
      namespace: config.namespace,
      labels: objectLabels(config, role),
    },
    data: { '10-agent.json': `${JSON.stringify(own, null, 2)}\n`, ...(fragment && overrides(fragment)) },
  };
}

function overrides(fragment: AgentConfigFragment): Record<string, string> {
  return { [`20-override.${fragment.format}`]: fragment.text };
}

/**
 * Writes the digest of each agent ConfigMap into the pod template that mounts it, after the patches have been
 * applied: a changed configuration rolls exactly the pods that read it.
 */
export function stampConfigDigest(objects: readonly KubernetesObject[]): void {
  for (const object of objects) {
    const template = podTemplate(object);
    const digests = (template?.spec?.volumes ?? []).flatMap((volume) => {
      const name = volume.configMap?.name;
      const source = objects.find((other) => other.kind === 'ConfigMap' && other.metadata.name === name);
      const entries = [source?.data, source?.binaryData].map((part) => Object.entries(part ?? {}).sort());
      return source ? [JSON.stringify(entries)] : [];
    });
    if (!template || digests.length === 0) continue;
    template.metadata ??= {};
    template.metadata.annotations = {
      ...template.metadata.annotations,
      [CONFIG_DIGEST]: createHash('sha256').update(digests.join('\n')).digest('hex').slice(0, 16),
    };
  }
}

interface PodTemplate {
  metadata?: { annotations?: Record<string, string> };
  spec?: { volumes?: { configMap?: { name?: string } }[] };
}

function podTemplate(object: KubernetesObject): PodTemplate | undefined {
  return (object.spec as { template?: PodTemplate } | undefined)?.template;
}
