import type { Config } from '../config/config.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { AGENT_CONTAINER } from './name.ts';
import { CONTAINER_SECURITY, POD_SECURITY } from './pod.ts';

/** Annotations of the namespace: whose snapshot is tried in it, and when nobody is at work in it any more (RFC 3339). */
export const REHEARSAL_OF = 'consul-deploy/rehearsal-of';
export const REHEARSAL_UNTIL = 'consul-deploy/rehearsal-until';

/** The longest name of a namespace, in characters: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const LONGEST_NAME = 63;
const SUFFIX = '-rehearsal';
export const REHEARSAL_POD = 'consul';

/** The namespace in which the restore of a deployment's snapshot is tried. */
export function rehearsalNamespace({ namespace, name }: Pick<Config, 'namespace' | 'name'>): string {
  const whole = namespace === name ? name : `${namespace}-${name}`;
  let deployment = whole.slice(0, LONGEST_NAME - SUFFIX.length);
  while (deployment.endsWith('-')) deployment = deployment.slice(0, -1);
  return `${deployment}${SUFFIX}`;
}

/** Whose rehearsal it is. */
export function rehearsalOf({ namespace, name }: Pick<Config, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/**
 * One server, and a namespace that goes with it. The server holds all secrets of the snapshot and asks for no token, so
 * nobody reaches it over the network: every port is on the loopback address of the pod, where a port-forward ends.
 */
export function rehearsalObjects(
  config: Config,
  until: string,
): { namespace: KubernetesObject; pod: KubernetesObject } {
  const namespace = rehearsalNamespace(config);
  const labels = { 'app.kubernetes.io/managed-by': 'consul-deploy' };
  return {
    namespace: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: namespace,
        labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'restricted' },
        annotations: { [REHEARSAL_OF]: rehearsalOf(config), [REHEARSAL_UNTIL]: until },
      },
    },
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: REHEARSAL_POD, namespace, labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        // One that ends has failed, and is looked at.
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        securityContext: POD_SECURITY,
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        containers: [
          {
            name: AGENT_CONTAINER,
            image: config.image,
            imagePullPolicy: 'IfNotPresent',
            args: serverArguments(config),
            env: [{ name: 'CONSUL_DISABLE_PERM_MGMT', value: 'true' }],
            resources: config.serverResources,
            securityContext: CONTAINER_SECURITY,
            volumeMounts: [
              { name: 'data', mountPath: '/consul/data' },
              { name: 'tmp', mountPath: '/tmp' },
            ],
          },
        ],
        volumes: [
          { name: 'data', emptyDir: {} },
          { name: 'tmp', emptyDir: {} },
        ],
      },
    },
  };
}

function serverArguments({ datacenter }: Config): string[] {
  return [
    'agent',
    '-server',
    '-bootstrap-expect=1',
    '-node=rehearsal',
    `-datacenter=${datacenter}`,
    '-bind=127.0.0.1',
    '-client=127.0.0.1',
    // The timing for production: it elects within two seconds.
    '-hcl=performance { raft_multiplier = 1 }',
  ];
}
