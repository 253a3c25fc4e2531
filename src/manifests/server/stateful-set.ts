import type { Config } from '../../config/config.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { serverJoinArguments } from '../join.ts';
import { objectLabels, selectorLabels } from '../label.ts';
import { listenArguments } from '../listen.ts';
import { roleName } from '../name.ts';
import { agentPodSpec, spread } from '../pod.ts';
import { serverPorts } from '../port.ts';
import { serverLivenessProbe, serverReadinessProbe, serverStartupProbe } from '../probe.ts';
import { SERVER_GRACE_SECONDS } from '../start.ts';
import { addressedServer, advertiseArguments } from './address.ts';

export function serverStatefulSet(config: Config): KubernetesObject {
  const labels = selectorLabels(config, 'server');
  const name = roleName(config, 'server');
  const storage = config.serverStorage;
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: config.namespace, labels: objectLabels(config, 'server') },
    spec: {
      serviceName: name,
      replicas: config.servers,
      // All at once: a quorum cannot form one pod after the other, each waiting for the one before.
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: agentPodSpec(config, {
          role: 'server',
          arguments: [
            '-node=$(POD_NAME)',
            ...advertiseArguments(config),
            ...listenArguments(config, 'server'),
            ...serverJoinArguments(config),
          ],
          ...addressedServer(config),
          ports: serverPorts(config),
          resources: config.serverResources,
          probes: {
            startup: serverStartupProbe(config),
            readiness: serverReadinessProbe(config),
            liveness: serverLivenessProbe(config),
          },
          ...(storage.kind === 'ephemeral' && { dataVolume: { emptyDir: {} } }),
          gracePeriodSeconds: SERVER_GRACE_SECONDS,
          placement: {
            affinity: {
              podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [
                  { labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' },
                ],
              },
            },
            topologySpreadConstraints: [spread('topology.kubernetes.io/zone', labels)],
          },
        }),
      },
      ...(storage.kind === 'persistent' && {
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'data' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              ...(config.storageClass !== undefined && { storageClassName: config.storageClass }),
              resources: { requests: { storage: storage.size } },
            },
          },
        ],
      }),
    },
  };
}
