import type { Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { objectLabels, type Role, selectorLabels } from './label.ts';
import { roleName, serverNames } from './name.ts';
import { clientPorts, type ServicePort, serverPorts } from './port.ts';

function service(
  config: Config,
  role: Role,
  name: string,
  spec: { ports: readonly ServicePort[]; [field: string]: unknown },
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    // The label `name` stands on the Services people made by hand; dashboards and monitors select by it.
    metadata: { name, namespace: config.namespace, labels: { ...objectLabels(config, role), name } },
    spec: { selector: selectorLabels(config, role), ...spec },
  };
}

/** For applications and people: only servers that know a leader stand behind it. */
export function serverService(config: Config): KubernetesObject {
  return service(config, 'server', roleName(config, 'server'), {
    ports: serverPorts(config),
    type: 'ClusterIP',
  });
}

/**
 * One Service for each server, by which the others join it, and which its server may advertise: see server-address.ts. It
 * has every port in either case: while servers change over, some still advertise it. It publishes addresses that are not
 * ready, since a server is ready only once it has joined.
 */
export function serverJoinServices(config: Config): KubernetesObject[] {
  return serverNames(config).map((name) =>
    service(config, 'server', name, {
      ports: serverPorts(config),
      type: 'ClusterIP',
      publishNotReadyAddresses: true,
      selector: { ...selectorLabels(config, 'server'), 'statefulset.kubernetes.io/pod-name': name },
    }),
  );
}

/** The most that Kubernetes allows: an application may register today and deregister tomorrow. */
const STICKY_SECONDS = 86_400;

/**
 * The agents that applications talk to. An application has to stay with one agent: a service registered at one
 * and deregistered at another stays in the catalog for good. So the Service is sticky by client address, or,
 * with an agent on every node, never leaves the node. docs/reference/registrations.md says what that leaves open.
 */
export function clientService(config: Config): KubernetesObject {
  return service(config, 'client', roleName(config, 'client'), {
    ports: clientPorts(config),
    type: 'ClusterIP',
    ...(config.clients === 'daemonset'
      ? { internalTrafficPolicy: 'Local' }
      : {
          sessionAffinity: 'ClientIP',
          sessionAffinityConfig: { clientIP: { timeoutSeconds: STICKY_SECONDS } },
        }),
  });
}

export function uiService(config: Config): KubernetesObject {
  const plain: ServicePort = { name: 'http', port: 80, protocol: 'TCP', targetPort: 8500 };
  const secure: ServicePort = { name: 'https', port: 443, protocol: 'TCP', targetPort: 8501 };
  const ports = { off: [plain], also: [plain, secure], only: [secure] }[config.https];
  return service(config, 'server', `${config.name}-ui`, { ports, type: 'ClusterIP' });
}
