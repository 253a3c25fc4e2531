import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { render } from '../../src/manifests/render.ts';
import { toYaml } from '../../src/manifests/yaml.ts';
import { agent, config, find, SHAPES, services, workloads } from './fixture.ts';

const OWNERSHIP = {
  'app.kubernetes.io/name': 'consul',
  'app.kubernetes.io/instance': 'consul',
  'app.kubernetes.io/managed-by': 'consul-deploy',
};

function expectedNames({ servers, clients, ui }: Config): string[] {
  const roles = clients === 'none' ? ['server'] : ['server', 'client'];
  const each = (kind: string, suffix = '') => roles.map((role) => `${kind}/consul-${role}${suffix}`);
  return [
    'Namespace/consul',
    ...each('ServiceAccount'),
    ...each('ConfigMap', '-config'),
    'Service/consul-server',
    ...Array.from({ length: servers }, (_, ordinal) => `Service/consul-server-${ordinal}`),
    ...(clients === 'none' ? [] : ['Service/consul-client']),
    ...(ui ? ['Service/consul-ui'] : []),
    'PodDisruptionBudget/consul-server',
    'StatefulSet/consul-server',
    ...(clients === 'statefulset' ? ['StatefulSet/consul-client'] : []),
    ...(clients === 'daemonset' ? ['DaemonSet/consul-client'] : []),
  ];
}

/** `path: value` of everything in it that YAML or JSON would write as null or leave out. */
function holes(value: unknown, path = ''): string[] {
  if (value === null || value === undefined) return [`${path}: ${value}`];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => holes(part, `${path}.${key}`));
}

/** Labels of the pods that would run, those of the StatefulSet controller included. */
function podLabels(objects: readonly KubernetesObject[]): Record<string, string>[] {
  return workloads(objects).flatMap(({ kind, metadata, spec }) =>
    Array.from({ length: spec.replicas ?? 2 }, (_, ordinal) => ({
      ...spec.template.metadata?.labels,
      pod: `${metadata.name}-${ordinal}`,
      ...(kind === 'StatefulSet' && { 'statefulset.kubernetes.io/pod-name': `${metadata.name}-${ordinal}` }),
    })),
  );
}

function selected(selector: Record<string, string> | undefined, pods: Record<string, string>[]): string[] {
  return pods
    .filter((labels) => Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value))
    .map(({ pod }) => pod ?? '');
}

describe.each(SHAPES)('$shape', ({ config: given }) => {
  const objects = render(given);
  const { servers, clients } = given;
  const serverPods = Array.from({ length: servers }, (_, ordinal) => `consul-server-${ordinal}`);

  test('is these objects, in the order in which they can be applied', () => {
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(expectedNames(given));
  });

  test('all are in the namespace and carry the ownership labels', () => {
    const [namespace, ...rest] = objects;
    expect(namespace?.metadata).toEqual({
      name: 'consul',
      labels: { 'app.kubernetes.io/managed-by': 'consul-deploy' },
    });
    for (const { kind, metadata } of rest) {
      expect(metadata.namespace).toBe('consul');
      const role = metadata.name.startsWith('consul-client') ? 'client' : 'server';
      expect(metadata.labels).toEqual({
        app: 'consul',
        'consul-role': role,
        ...OWNERSHIP,
        ...(kind === 'Service' && { name: metadata.name }),
      });
    }
  });

  test('selectors are those of clusters made by hand, and ownership is in none', () => {
    for (const { metadata, spec } of workloads(objects)) {
      const labels = { app: 'consul', 'consul-role': metadata.name.replace('consul-', '') };
      expect(spec.selector).toEqual({ matchLabels: labels });
      expect(spec.template.metadata?.labels).toEqual(labels);
      for (const claim of spec.volumeClaimTemplates ?? []) expect(claim.metadata).toEqual({ name: 'data' });
    }
    const keys = services(objects).flatMap(({ spec }) => Object.keys(spec?.selector ?? {}));
    expect(new Set(keys)).toEqual(new Set(['app', 'consul-role', 'statefulset.kubernetes.io/pod-name']));
    expect(find(objects, 'PodDisruptionBudget', 'consul-server').spec).toMatchObject({
      selector: { matchLabels: { app: 'consul', 'consul-role': 'server' } },
    });
    expect(JSON.stringify(objects.map(({ spec }) => spec))).not.toContain('app.kubernetes.io/');
  });

  test('each Service selects the pods that it is for', () => {
    const pods = podLabels(objects);
    const clientPods = pods.map(({ pod }) => pod ?? '').filter((name) => name.startsWith('consul-client'));
    for (const { metadata, spec } of services(objects)) {
      const { name } = metadata;
      const wanted = serverPods.includes(name) ? [name] : name === 'consul-client' ? clientPods : serverPods;
      expect(selected(spec?.selector, pods), name).toEqual(wanted);
    }
  });

  test('every port has a protocol and a name of its own that is short enough', () => {
    const lists = [
      ...services(objects).map(({ spec }) => spec?.ports ?? []),
      ...workloads(objects).map((workload) => agent(workload).ports ?? []),
    ];
    for (const list of lists) {
      const names = list.map(({ name }) => name ?? '');
      expect(names.length).toBeGreaterThan(0);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toMatch(/^(?=.{1,15}$)[a-z0-9]+(-[a-z0-9]+)*$/);
      for (const { protocol } of list) expect(protocol).toMatch(/^(TCP|UDP)$/);
    }
  });

  test('every Service port leads to a port of the containers behind it', () => {
    for (const { metadata, spec } of services(objects)) {
      const role = spec?.selector?.['consul-role'];
      const behind = workloads(objects).filter((one) => one.metadata.name === `consul-${role}`);
      expect(behind).toHaveLength(1);
      const open = behind
        .flatMap((one) => agent(one).ports ?? [])
        .map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
      for (const { port, targetPort, protocol } of spec?.ports ?? []) {
        expect(open, metadata.name).toContain(`${targetPort ?? port}/${protocol}`);
      }
    }
  });

  test('whatever a pod refers to is rendered, before it', () => {
    for (const workload of workloads(objects)) {
      const earlier = objects
        .slice(0, objects.indexOf(workload))
        .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      const { spec } = workload.spec.template;
      const claims = (workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
      const volumes = [...(spec?.volumes ?? []).map(({ name }) => name), ...claims];
      expect(new Set(volumes).size).toBe(volumes.length);
      const mounts = (agent(workload).volumeMounts ?? []).map(({ name }) => name);
      expect([...mounts].sort()).toEqual([...volumes].sort());
      const references = [
        `ServiceAccount/${spec?.serviceAccountName}`,
        ...(workload.spec.serviceName === undefined ? [] : [`Service/${workload.spec.serviceName}`]),
        ...(spec?.volumes ?? []).flatMap(({ configMap }) =>
          configMap ? [`ConfigMap/${configMap.name}`] : [],
        ),
      ];
      expect(earlier).toEqual(expect.arrayContaining(references));
    }
  });

  test('holds no null and nothing undefined', () => {
    expect(holes(objects)).toEqual([]);
    expect(toYaml(objects)).not.toMatch(/[:-] (null|~)$/m);
  });

  test('is the same again', () => {
    expect(toYaml(render(given))).toBe(toYaml(objects));
  });

  test('counts', () => {
    const set = workloads([find(objects, 'StatefulSet', 'consul-server')])[0]?.spec;
    expect(set).toMatchObject({ replicas: servers, podManagementPolicy: 'Parallel' });
    const budget = find(objects, 'PodDisruptionBudget', 'consul-server').spec;
    expect(budget).toMatchObject({ maxUnavailable: { 1: 1, 3: 1, 5: 2 }[servers] });
    if (clients === 'statefulset') {
      expect(find(objects, 'StatefulSet', 'consul-client').spec).toMatchObject({
        replicas: 10,
        podManagementPolicy: 'Parallel',
      });
    }
  });
});

describe('what inputs change', () => {
  test('the default cluster, whole', async () => {
    await expect(toYaml(render(config()))).toMatchFileSnapshot('./__snapshots__/default.yaml');
  });

  test('the name is the prefix of all names and part of the selectors', () => {
    const objects = render(config({ name: 'mesh', namespace: 'shared' }));
    const names = objects.map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name !== 'shared' && !/^mesh-(server|client|ui)/.test(name))).toEqual([]);
    for (const { spec } of workloads(objects)) expect(spec.selector.matchLabels.app).toBe('mesh');
    for (const { spec } of services(objects)) expect(spec?.selector?.app).toBe('mesh');
    expect(JSON.stringify(objects)).not.toMatch(/consul-(server|client)|CONSUL_SERVER/);
  });

  test.each([
    [{ kind: 'percent', percent: 25 }, '25%'],
    [{ kind: 'percent', percent: 0 }, 1],
    [{ kind: 'count', count: 7 }, 7],
    [{ kind: 'count', count: 0 }, 1],
  ] as const)(
    'client-max-unavailable %j: the clients of a DaemonSet may be replaced %s at a time',
    (allowed, maxUnavailable) => {
      const strategies = (['daemonset', 'statefulset'] as const).map((clients) => {
        const objects = render(config({ clients, clientMaxUnavailable: allowed }));
        return workloads(objects).find(({ metadata }) => metadata.name === 'consul-client')?.spec
          .updateStrategy;
      });
      expect(strategies).toEqual([
        { type: 'RollingUpdate', rollingUpdate: { maxUnavailable } },
        // Most API servers drop it there.
        { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ]);
    },
  );

  test('without create-namespace there is no Namespace', () => {
    expect(render(config({ createNamespace: false })).map(({ kind }) => kind)).not.toContain('Namespace');
  });

  test('image and resources reach the containers', () => {
    const resources = { requests: { cpu: '1' }, limits: { memory: '1Gi' } };
    const objects = render(config({ image: 'mirror.example/consul:1.21.0', serverResources: resources }));
    expect(workloads(objects).map((one) => agent(one).image)).toEqual(
      Array(2).fill('mirror.example/consul:1.21.0'),
    );
    expect(workloads(objects).map((one) => agent(one).resources)).toEqual([
      resources,
      config().clientResources,
    ]);
  });

  test.each([
    ['fast', { storageClassName: 'fast' }],
    [undefined, {}],
  ])('storage-class %s', (storageClass, expected) => {
    const objects = render(config({ storageClass, serverStorage: { kind: 'persistent', size: '3Gi' } }));
    const [server, client] = workloads(objects);
    expect(server?.spec.volumeClaimTemplates?.map(({ spec }) => spec)).toEqual([
      { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '3Gi' } }, ...expected },
    ]);
    expect(server?.spec).toMatchObject({
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    });
    expect(client?.spec.volumeClaimTemplates).toBeUndefined();
  });

  test('ephemeral servers have a volume that goes with their pod', () => {
    const [server] = workloads(render(config({ serverStorage: { kind: 'ephemeral' } })));
    expect(server?.spec.template.spec?.volumes).toContainEqual({ name: 'data', emptyDir: {} });
    expect(server?.spec).not.toHaveProperty('volumeClaimTemplates');
  });

  test('a frozen Config with patches is not changed by rendering', () => {
    const merge = Object.freeze({ metadata: Object.freeze({ labels: Object.freeze({ team: 'a' }) }) });
    const target = { kind: 'Service', name: 'consul-server' };
    const given = Object.freeze(config({ patches: Object.freeze([Object.freeze({ target, merge })]) }));
    expect(toYaml(render(given))).toBe(toYaml(render(given)));
  });
});

describe('placement', () => {
  const [server, client] = workloads(render(config())).map(({ spec }) => spec.template.spec);

  test('one server a node, for that is what keeps the quorum', () => {
    expect(server?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual([
      {
        labelSelector: { matchLabels: { app: 'consul', 'consul-role': 'server' } },
        topologyKey: 'kubernetes.io/hostname',
      },
    ]);
  });

  test('on Linux nodes alone, whatever else patches ask of nodes', () => {
    const merge = { spec: { template: { spec: { nodeSelector: { pool: 'db' } } } } };
    const patches = [{ target: { kind: 'StatefulSet', name: 'consul-server' }, merge }];
    for (const clients of ['statefulset', 'daemonset'] as const) {
      const [servers, agents] = workloads(render(config({ clients, patches })));
      const os = { 'kubernetes.io/os': 'linux' };
      expect(servers?.spec.template.spec).toMatchObject({ nodeSelector: { ...os, pool: 'db' } });
      expect(agents?.spec.template.spec).toMatchObject({ nodeSelector: os });
    }
  });

  test('a spread that is only preferred', () => {
    for (const spec of [server, client]) {
      expect(spec?.topologySpreadConstraints).toHaveLength(1);
      expect(spec?.topologySpreadConstraints?.[0]).toMatchObject({ whenUnsatisfiable: 'ScheduleAnyway' });
    }
    expect(client?.affinity).toBeUndefined();
  });

  test('clients on every node are not spread: the DaemonSet does that', () => {
    const [, onNodes] = workloads(render(config({ clients: 'daemonset' })));
    expect(onNodes?.spec.template.spec).not.toHaveProperty('topologySpreadConstraints');
  });
});

/** The hand-made cluster that this can take over: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
describe('what clusters made by hand rely on', () => {
  const objects = render(config());

  test.each([
    [
      'consul-server',
      { http: 8500, 'serflan-tcp': 8301, 'serfwan-tcp': 8302, server: 8300, consuldns: 8600 },
    ],
    ['consul-client', { 'serflan-tcp': 8301, http: 8500, consuldns: 8600 }],
  ])('%s keeps its ports, its type and its label `name`', (name, ports) => {
    const [service] = services([find(objects, 'Service', name)]);
    const tcp = (service?.spec?.ports ?? []).filter(({ protocol }) => protocol === 'TCP');
    expect(Object.fromEntries(tcp.map(({ name, port }) => [name, port]))).toEqual(ports);
    expect(service?.spec?.type).toBe('ClusterIP');
    expect(service?.metadata.labels?.name).toBe(name);
  });

  test('the StatefulSets keep their Services and their container', () => {
    for (const workload of workloads(objects)) {
      expect(workload.spec.serviceName).toBe(workload.metadata.name);
      expect(agent(workload).name).toBe('consul');
    }
  });
});

describe('Services', () => {
  const spec = (given: Config, name: string) => find(render(given), 'Service', name).spec;

  test('only those for joins publish addresses that are not ready', () => {
    const publishing = services(render(config()))
      .filter(({ spec }) => spec?.publishNotReadyAddresses)
      .map(({ metadata }) => metadata.name);
    expect(publishing).toEqual(['consul-server-0', 'consul-server-1', 'consul-server-2']);
  });

  test('an application stays with one client agent', () => {
    expect(spec(config(), 'consul-client')).toMatchObject({
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_400 } },
    });
    const onNodes = spec(config({ clients: 'daemonset' }), 'consul-client');
    expect(onNodes).toMatchObject({ internalTrafficPolicy: 'Local' });
    expect(onNodes).not.toHaveProperty('sessionAffinity');
  });

  test('the UI is at port 80', () => {
    expect(spec(config(), 'consul-ui')).toMatchObject({
      ports: [{ name: 'http', port: 80, targetPort: 8500, protocol: 'TCP' }],
    });
  });
});
