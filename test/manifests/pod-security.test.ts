import type { V1Container, V1PodSpec, V1SecurityContext } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { rehearsalObjects } from '../../src/manifests/rehearsal.ts';
import { render } from '../../src/manifests/render.ts';
import { config, SHAPES, workloads } from './fixture.ts';

type Rule = (pod: V1PodSpec, containers: readonly V1Container[]) => boolean;

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
];
const APP_ARMOR = [undefined, 'RuntimeDefault', 'Localhost'];
const SELINUX = [undefined, '', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const SECCOMP = ['RuntimeDefault', 'Localhost'];

const contexts = (containers: readonly V1Container[]): V1SecurityContext[] =>
  containers.map(({ securityContext }) => securityContext ?? {});

const probeHosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: V1Container) =>
  [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(
    (handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host],
  );

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/, control by control: baseline, then restricted. */
const CONTROLS: Record<string, Rule> = {
  HostProcess: (pod, all) =>
    pod.securityContext?.windowsOptions?.hostProcess !== true &&
    contexts(all).every(({ windowsOptions }) => windowsOptions?.hostProcess !== true),
  'Host Namespaces': (pod) => !pod.hostNetwork && !pod.hostPID && !pod.hostIPC,
  'Privileged Containers': (_, all) => contexts(all).every(({ privileged }) => !privileged),
  'Capabilities (baseline)': (_, all) =>
    contexts(all).every(({ capabilities }) =>
      (capabilities?.add ?? []).every((one) => CAPABILITIES.includes(one)),
    ),
  'HostPath Volumes': (pod) => (pod.volumes ?? []).every(({ hostPath }) => hostPath === undefined),
  'Host Ports': (_, all) => all.every(({ ports }) => (ports ?? []).every(({ hostPort }) => !hostPort)),
  'Host Probes / Lifecycle Hooks': (_, all) => all.flatMap(probeHosts).every((host) => !host),
  AppArmor: (pod, all) =>
    [pod.securityContext, ...contexts(all)].every((one) => APP_ARMOR.includes(one?.appArmorProfile?.type)),
  SELinux: (pod, all) =>
    [pod.securityContext, ...contexts(all)].every(
      (one) =>
        SELINUX.includes(one?.seLinuxOptions?.type) &&
        !one?.seLinuxOptions?.user &&
        !one?.seLinuxOptions?.role,
    ),
  '/proc Mount Type': (_, all) =>
    contexts(all).every(({ procMount }) => procMount === undefined || procMount === 'Default'),
  Sysctls: (pod) => (pod.securityContext?.sysctls ?? []).every(({ name }) => SYSCTLS.includes(name)),
  'Volume Types': (pod) =>
    (pod.volumes ?? []).every(({ name: _, ...source }) =>
      Object.keys(source).every((type) => VOLUMES.includes(type)),
    ),
  'Privilege Escalation': (_, all) =>
    contexts(all).every(({ allowPrivilegeEscalation }) => allowPrivilegeEscalation === false),
  'Running as Non-root': (pod, all) =>
    contexts(all).every(({ runAsNonRoot }) => runAsNonRoot ?? pod.securityContext?.runAsNonRoot === true),
  'Running as Non-root user': (pod, all) =>
    [pod.securityContext, ...contexts(all)].every((one) => one?.runAsUser !== 0),
  Seccomp: (pod, all) =>
    contexts(all).every(({ seccompProfile }) =>
      SECCOMP.includes((seccompProfile ?? pod.securityContext?.seccompProfile)?.type ?? ''),
    ),
  'Capabilities (restricted)': (_, all) =>
    contexts(all).every(
      ({ capabilities }) =>
        (capabilities?.drop ?? []).includes('ALL') &&
        (capabilities?.add ?? []).every((one) => one === 'NET_BIND_SERVICE'),
    ),
};

/** The controls that a pod does not meet. */
function violations(pod: V1PodSpec | undefined): string[] {
  if (!pod) return ['there is no pod'];
  const all = [...pod.containers, ...(pod.initContainers ?? [])];
  return Object.entries(CONTROLS).flatMap(([control, meets]) => (meets(pod, all) ? [] : [control]));
}

test.each(SHAPES)('pods meet Pod Security restricted: $shape', ({ config: given }) => {
  const found = workloads(render(given));
  expect(found).toHaveLength(given.clients === 'none' ? 1 : 2);
  for (const { metadata, spec } of found) {
    expect(violations(spec.template.spec), metadata.name).toEqual([]);
  }
});

test('so does the server of a rehearsal, whose namespace admits no other pod', () => {
  const { pod, namespace } = rehearsalObjects(config(), 'later');
  expect(namespace.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  expect(violations(pod.spec as unknown as V1PodSpec)).toEqual([]);
});

describe('the table notices', () => {
  const secure = (): V1PodSpec => {
    const pod = workloads(render(config()))[0]?.spec.template.spec;
    if (!pod) throw new Error('no pod');
    return structuredClone(pod);
  };
  test.each<[string, (pod: V1PodSpec) => unknown]>([
    ['Host Namespaces', (pod) => Object.assign(pod, { hostNetwork: true })],
    ['HostPath Volumes', (pod) => pod.volumes?.push({ name: 'host', hostPath: { path: '/' } })],
    ['Volume Types', (pod) => pod.volumes?.push({ name: 'nfs', nfs: { server: 'a', path: '/' } })],
    ['Privilege Escalation', (pod) => delete pod.containers[0]?.securityContext?.allowPrivilegeEscalation],
    ['Running as Non-root', (pod) => delete pod.securityContext?.runAsNonRoot],
    ['Running as Non-root user', (pod) => Object.assign(pod.securityContext ?? {}, { runAsUser: 0 })],
    ['Seccomp', (pod) => delete pod.securityContext?.seccompProfile],
    ['Capabilities (restricted)', (pod) => delete pod.containers[0]?.securityContext?.capabilities],
    ['Host Ports', (pod) => Object.assign(pod.containers[0]?.ports?.[0] ?? {}, { hostPort: 8500 })],
  ])('%s', (control, spoil) => {
    const pod = secure();
    spoil(pod);
    expect(violations(pod)).toContain(control);
  });
});

test('beyond it: no token, a read-only root, an owner that fits the image', () => {
  const objects = render(config());
  for (const account of objects.filter(({ kind }) => kind === 'ServiceAccount')) {
    expect(account.automountServiceAccountToken).toBe(false);
  }
  for (const { spec } of workloads(objects)) {
    const pod = spec.template.spec;
    expect(pod?.automountServiceAccountToken).toBe(false);
    expect(pod?.securityContext).toMatchObject({ runAsUser: 100, runAsGroup: 1000, fsGroup: 1000 });
    expect(pod?.containers[0]?.securityContext?.readOnlyRootFilesystem).toBe(true);
  }
});
