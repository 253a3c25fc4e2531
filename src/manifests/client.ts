import type { Allowance, Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { clientJoinArguments } from './join.ts';
import { objectLabels, selectorLabels } from './label.ts';
import { listenArguments } from './listen.ts';
import { roleName } from './name.ts';
import { agentPodSpec, spread } from './pod.ts';
import { clientPorts } from './port.ts';
import { clientLivenessProbe, clientReadinessProbe, clientStartupProbe } from './probe.ts';

/** The client agents; nothing for `clients: none`. */
export function clientWorkload(config: Config): KubernetesObject | undefined {
  if (config.clients === 'none') return undefined;
  const daemonSet = config.clients === 'daemonset';
  const labels = selectorLabels(config, 'client');
  const name = roleName(config, 'client');
  return {
    apiVersion: 'apps/v1',
    kind: daemonSet ? 'DaemonSet' : 'StatefulSet',
    metadata: { name, namespace: config.namespace, labels: objectLabels(config, 'client') },
    spec: {
      selector: { matchLabels: labels },
      ...(daemonSet
        ? {
            updateStrategy: {
              type: 'RollingUpdate',
              rollingUpdate: { maxUnavailable: maxUnavailableOf(config.clientMaxUnavailable) },
            },
          }
        : {
            serviceName: name,
            replicas: config.clientReplicas,
            podManagementPolicy: 'Parallel',
            updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
          }),
      template: { metadata: { labels }, spec: clientPodSpec(config, daemonSet, labels) },
    },
  };
}

/**
 * Kubernetes refuses none at a time. A StatefulSet gets none: without the feature gate MaxUnavailableStatefulSet, which is
 * off by default in Kubernetes 1.36, the API server drops it, and the run does the waves (steps/replacement/clients-survey.ts).
 */
function maxUnavailableOf(allowance: Allowance): number | string {
  if (allowance.kind === 'count') return Math.max(allowance.count, 1);
  return allowance.percent === 0 ? 1 : `${allowance.percent}%`;
}

function clientPodSpec(config: Config, daemonSet: boolean, labels: Record<string, string>) {
  return agentPodSpec(config, {
    role: 'client',
    // An agent's name outlives its pod: the ordinal's, or with an agent on every node the node's.
    arguments: [
      daemonSet ? '-node=$(NODE_NAME)' : '-node=$(POD_NAME)',
      '-advertise=$(POD_IP)',
      ...listenArguments(config, 'client'),
      ...clientJoinArguments(config),
    ],
    environment: daemonSet
      ? [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }]
      : [],
    ports: clientPorts(config),
    resources: config.clientResources,
    probes: {
      startup: clientStartupProbe(config),
      readiness: clientReadinessProbe(config),
      liveness: clientLivenessProbe(config),
    },
    // Survives restarts of the container, and with it the registrations that the agent keeps there.
    dataVolume: { emptyDir: {} },
    gracePeriodSeconds: 30,
    placement: daemonSet ? {} : { topologySpreadConstraints: [spread('kubernetes.io/hostname', labels)] },
  });
}
