import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { INPUTS } from '../../src/config/inputs.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { renderSet } from '../../src/steps/render/render.ts';
import { given } from '../config/given.ts';
import { folder } from '../kubernetes/fake-server.ts';
import { startRun } from '../session/fixture.ts';
import { cookbook, type Recipe } from './cookbook.ts';
import { find, type Workload, workloads } from './fixture.ts';

type Objects = readonly KubernetesObject[];

const pods = (objects: Objects, name: string) => workload(objects, name).spec.template.spec;
const container = (objects: Objects, workloadName: string, name: string) =>
  pods(objects, workloadName)?.containers.find((one) => one.name === name);

function workload(objects: Objects, name: string): Workload {
  const found = workloads(objects).find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`no workload ${name}`);
  return found;
}

/** What has to be in the manifest, by the heading of the recipe. Each of them fails on what is rendered without it. */
const EXPECTED: Record<string, (objects: Objects) => void> = {
  'Pull secrets': (objects) => {
    for (const name of ['consul-server', 'consul-client'])
      expect(pods(objects, name)?.imagePullSecrets, name).toEqual([{ name: 'registry' }]);
  },
  'Node selector': (objects) => {
    const linux = { 'kubernetes.io/os': 'linux' };
    expect(pods(objects, 'consul-server')?.nodeSelector).toEqual({ ...linux, 'example.com/pool': 'consul' });
    expect(pods(objects, 'consul-client')?.nodeSelector).toEqual(linux);
  },
  Tolerations: (objects) => {
    expect(pods(objects, 'consul-server')?.tolerations).toEqual([
      { key: 'dedicated', operator: 'Equal', value: 'consul', effect: 'NoSchedule' },
    ]);
    expect(pods(objects, 'consul-client')?.tolerations).toBeUndefined();
  },
  'Tolerations of a DaemonSet': (objects) => {
    expect(workload(objects, 'consul-client').kind).toBe('DaemonSet');
    expect(pods(objects, 'consul-client')?.tolerations).toEqual([
      { operator: 'Exists', effect: 'NoSchedule' },
    ]);
  },
  'Priority class': (objects) => {
    expect(pods(objects, 'consul-server')?.priorityClassName).toBe('system-cluster-critical');
  },
  Annotations: (objects) => {
    expect(workload(objects, 'consul-server').spec.template.metadata?.annotations).toEqual({
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
      'consul-deploy/config-digest': expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const ui = find(objects, 'Service', 'consul-ui');
    expect(ui.metadata).toMatchObject({
      annotations: { 'networking.gke.io/load-balancer-type': 'Internal' },
    });
    expect(ui.spec).toMatchObject({ type: 'LoadBalancer', ports: [{ port: 80 }] });
  },
  Sidecar: (objects) => {
    const names = pods(objects, 'consul-server')?.containers.map(({ name }) => name);
    expect(names).toEqual(['consul', 'exporter']);
    expect(container(objects, 'consul-server', 'exporter')).toMatchObject({
      args: ['--consul.server=http://127.0.0.1:8500'],
      ports: [{ containerPort: 9107 }],
      // What Pod Security `restricted` asks of a container; the pod has the rest.
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    });
  },
  'Resources under a quota': (objects) => {
    const all = { cpu: expect.any(String), memory: expect.any(String) };
    expect(container(objects, 'consul-server', 'consul')?.resources).toEqual({ requests: all, limits: all });
    expect(container(objects, 'consul-client', 'consul')?.resources).toEqual({ requests: all, limits: all });
    expect(container(objects, 'consul-server', 'consul')?.resources?.limits?.cpu).toBe('2');
  },
  'Topology spread': (objects) => {
    expect(pods(objects, 'consul-server')?.topologySpreadConstraints).toEqual([
      {
        labelSelector: { matchLabels: { app: 'consul', 'consul-role': 'server' } },
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'DoNotSchedule',
      },
    ]);
  },
  'Ingress for the UI': (objects) => {
    const { spec } = find(objects, 'Ingress', 'consul-ui') as { spec?: IngressSpec };
    const { service } = spec?.rules[0]?.http.paths[0]?.backend ?? {};
    const target = find(objects, 'Service', service?.name ?? '') as { spec?: { ports: { name: string }[] } };
    expect(target.spec?.ports.map(({ name }) => name)).toContain(service?.port.name);
  },
  PodMonitor: (objects) => {
    const { spec } = find(objects, 'PodMonitor', 'consul') as { spec?: PodMonitorSpec };
    for (const role of ['server', 'client']) {
      const { template } = workload(objects, `consul-${role}`).spec;
      expect(template.metadata?.labels).toMatchObject(spec?.selector.matchLabels ?? { none: '' });
      const ports = container(objects, `consul-${role}`, 'consul')?.ports?.map(({ name }) => name);
      expect(ports).toContain(spec?.podMetricsEndpoints[0]?.port);
      const { data } = find(objects, 'ConfigMap', `consul-${role}-config`) as {
        data?: Record<string, string>;
      };
      expect(Object.values(data ?? {}).join()).toContain('"prometheus_retention_time": "1m"');
    }
  },
};

interface IngressSpec {
  rules: { http: { paths: { backend: { service: { name: string; port: { name: string } } } }[] } }[];
}

interface PodMonitorSpec {
  selector: { matchLabels: Record<string, string> };
  podMetricsEndpoints: { port: string }[];
}

/** Through the code that a run goes through, from the inputs on. Paths of a command lead into a folder of the test. */
async function rendered({ inputs, files }: Pick<Recipe, 'inputs' | 'files'>): Promise<Objects> {
  const workspace = await folder();
  let command = inputs['post-render'];
  for (const [path, text] of files) {
    const file = join(workspace, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    expect(command, 'a file that no command reads').toContain(path);
    command = command?.replace(path, file);
  }
  const config = parseConfig(given(command === undefined ? inputs : { ...inputs, 'post-render': command }));
  return renderSet(startRun(config).run);
}

const recipes = cookbook();

test('every recipe has its assertion, and every assertion its recipe', () => {
  expect(recipes.map(({ title }) => title).sort()).toEqual(Object.keys(EXPECTED).sort());
});

test('every block of the page is in a recipe', () => {
  expect(recipes.flatMap(({ inputs }) => Object.keys(inputs))).toContain('patches');
  for (const name of recipes.flatMap(({ inputs }) => Object.keys(inputs)))
    expect(INPUTS).toHaveProperty(name);
  const page = '# A\n## B\n```yaml\npatches: x\n```\n## C\nnothing\n';
  expect(cookbook(page)).toEqual([{ title: 'B', inputs: { patches: 'x' }, files: new Map() }]);
  expect(() => cookbook('## B\n```sh\ncat\n```\n')).toThrow('not yaml');
  expect(() => cookbook('## B\n```yaml\na: x\n```\n```yaml\nb: y\n```\n')).toThrow('2 blocks');
  expect(() => cookbook('## B\n```yaml\n# a/b.yaml\n---\n```\n')).toThrow('0 blocks');
});

describe.each(recipes)('$title', (recipe) => {
  const expected = EXPECTED[recipe.title];

  test('makes what it says', async () => {
    const objects = await rendered(recipe);
    expected?.(objects);
  });

  test('which is not there without it', async () => {
    const objects = await rendered({ inputs: {}, files: new Map() });
    expect(() => expected?.(objects)).toThrow();
  });
});
