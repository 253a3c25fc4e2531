import type { Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { clientWorkload } from './client.ts';
import { agentSecret } from './config/agent-secret.ts';
import { stampConfigDigest } from './config/config-digest.ts';
import { agentConfigMap } from './config/config-map.ts';
import { serverDisruptionBudget } from './disruption-budget.ts';
import { namespaceObject } from './namespace.ts';
import { applyPatches } from './patch.ts';
import { serverStatefulSet } from './server/stateful-set.ts';
import { clientService, serverJoinServices, serverService, uiService } from './service.ts';
import { serviceAccount } from './service-account.ts';

/**
 * The whole cluster as Kubernetes objects, patches applied, in the order in which they can be applied one by
 * one. The same Config always gives the same objects.
 *
 * @throws Failure `invalid-manifest` for a patch that does not fit.
 */
export function render(config: Config): KubernetesObject[] {
  const clients = clientWorkload(config);
  const objects = applyPatches(
    [
      ...(config.createNamespace ? [namespaceObject(config)] : []),
      serviceAccount(config, 'server'),
      ...(clients ? [serviceAccount(config, 'client')] : []),
      agentConfigMap(config, 'server'),
      ...(clients ? [agentConfigMap(config, 'client')] : []),
      ...secrets(config, clients !== undefined),
      serverService(config),
      ...serverJoinServices(config),
      ...(clients ? [clientService(config)] : []),
      ...(config.ui ? [uiService(config)] : []),
      serverDisruptionBudget(config),
      serverStatefulSet(config),
      ...(clients ? [clients] : []),
    ],
    config.patches,
  );
  stampConfigDigest(objects);
  return objects;
}

function secrets(config: Config, hasClients: boolean): KubernetesObject[] {
  const roles = hasClients ? (['server', 'client'] as const) : (['server'] as const);
  return roles.flatMap((role) => agentSecret(config, role) ?? []);
}
