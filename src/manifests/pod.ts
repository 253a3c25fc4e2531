import type { Config, ResourceRequirements } from '../config/config.ts';
import { agentConfigVolume } from './config/agent-secret.ts';
import type { Role } from './label.ts';
import { AGENT_CONTAINER, CONFIG_DIRECTORY, roleName } from './name.ts';
import { containerPorts, type ServicePort } from './port.ts';
import { startCommand } from './start.ts';

/** User and group of the official image. */
const USER = 100;
const GROUP = 1000;

/** What the Pod Security level `restricted` asks of a pod, and of a container. */
export const POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: GROUP,
  fsGroup: GROUP,
  // Without it the kubelet walks the whole data directory at every start of a pod.
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
} as const;
export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

interface AgentPod {
  role: Role;
  /** Arguments after `agent`. */
  arguments: readonly string[];
  /** Asked before the agent is stopped. */
  preStop?: Record<string, unknown>;
  environment?: readonly Record<string, unknown>[];
  ports: readonly ServicePort[];
  resources: ResourceRequirements;
  probes: { startup: unknown; readiness: unknown; liveness: unknown };
  /** Volume for the data directory; none when a claim of that name is made by the workload. */
  dataVolume?: Record<string, unknown>;
  gracePeriodSeconds: number;
  placement: Record<string, unknown>;
}

/** The pod spec of an agent. It meets the Pod Security level `restricted`. */
export function agentPodSpec(config: Config, pod: AgentPod): Record<string, unknown> {
  return {
    serviceAccountName: roleName(config, pod.role),
    automountServiceAccountToken: false,
    // The addresses of the join Services come from the environment: see join.ts.
    enableServiceLinks: true,
    terminationGracePeriodSeconds: pod.gracePeriodSeconds,
    securityContext: POD_SECURITY,
    // On a node of another system no container of this image can start.
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    ...pod.placement,
    containers: [
      {
        name: AGENT_CONTAINER,
        image: config.image,
        imagePullPolicy: 'IfNotPresent',
        command: startCommand(config, pod.role),
        args: ['agent', ...pod.arguments],
        env: [
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ...(pod.environment ?? []),
          // The image's entry point changes owners when started as root; this pod is not.
          { name: 'CONSUL_DISABLE_PERM_MGMT', value: 'true' },
        ],
        ports: containerPorts(pod.ports),
        startupProbe: pod.probes.startup,
        readinessProbe: pod.probes.readiness,
        livenessProbe: pod.probes.liveness,
        ...(pod.preStop && { lifecycle: { preStop: pod.preStop } }),
        resources: pod.resources,
        securityContext: CONTAINER_SECURITY,
        volumeMounts: [
          { name: 'config', mountPath: CONFIG_DIRECTORY, readOnly: true },
          { name: 'data', mountPath: '/consul/data' },
        ],
      },
    ],
    volumes: [
      { name: 'config', ...agentConfigVolume(config, pod.role) },
      ...(pod.dataVolume ? [{ name: 'data', ...pod.dataVolume }] : []),
    ],
  };
}

/** Prefers an even spread over a topology and never keeps a pod from running. */
export function spread(topologyKey: string, labels: Record<string, string>): Record<string, unknown> {
  return {
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: labels },
  };
}
