import type { AgentConfigFragment, Config } from '../../config/config.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { secretsIn } from '../../secret/find.ts';
import { gossipSource } from '../gossip.ts';
import { objectLabels, type Role } from '../label.ts';
import { agentConfigName } from '../name.ts';
import { tlsSource } from '../tls.ts';

/** What the user adds to the configuration of a role. */
export function fragmentOf(config: Config, role: Role): AgentConfigFragment | undefined {
  return role === 'server' ? config.serverConfig : config.clientConfig;
}

/** Whether that holds a gossip key, a token or anything else that nobody may read who reads ConfigMaps. */
export function isSecret(fragment: AgentConfigFragment | undefined): boolean {
  return fragment !== undefined && secretsIn(fragment.text).length > 0;
}

/** `20-override.json`: Consul merges the files of its directory in the order of their names, so it wins. */
export function fragmentFile({ format }: AgentConfigFragment): string {
  return `20-override.${format}`;
}

/** The Secret with the user's fragment, where that holds secrets. The agents find it beside our own file. */
export function agentSecret(config: Config, role: Role): KubernetesObject | undefined {
  const fragment = fragmentOf(config, role);
  if (!fragment || !isSecret(fragment)) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: agentConfigName(config, role),
      namespace: config.namespace,
      labels: objectLabels(config, role),
    },
    type: 'Opaque',
    // Not `stringData`: the API server does not know who owns a key of that, and would never take one away.
    data: { [fragmentFile(fragment)]: Buffer.from(fragment.text).toString('base64') },
  };
}

/** The volume with the configuration of a role. A Secret's file replaces one of the same name in the ConfigMap. */
export function agentConfigVolume(config: Config, role: Role): Record<string, unknown> {
  const name = agentConfigName(config, role);
  const own = isSecret(fragmentOf(config, role)) ? [{ secret: { name } }] : [];
  return {
    projected: { sources: [{ configMap: { name } }, ...own, gossipSource(config), tlsSource(config, role)] },
  };
}
