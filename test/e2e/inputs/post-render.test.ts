import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cookbook } from '../../manifests/cookbook.ts';
import { kubectl, kubectlFed, kubectlJson, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';

describe('a post-render command', () => {
  const namespace = namespaceName('post-render');
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-post-render-'));
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await removeNamespace(namespace);
    // It belongs to no namespace.
    await kubectl('delete', 'crd', `widgets.${group}`, '--ignore-not-found');
  });

  const group = `${namespace}.example.com`;
  const script = join(folder, 'add team.sh');
  // Labels what has labels of its own, and adds an object that names no namespace, and a kind with an object of it.
  writeFileSync(
    script,
    [
      "sed 's/^  labels:$/&\\n    team: platform/'",
      'cat <<OBJECT',
      '---',
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata:',
      '  name: made-by-post-render',
      'data:',
      '  key: value',
      '---',
      'apiVersion: apiextensions.k8s.io/v1',
      'kind: CustomResourceDefinition',
      `metadata: {name: widgets.${group}}`,
      'spec:',
      `  group: ${group}`,
      '  scope: Namespaced',
      '  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}',
      '  versions:',
      '    - name: v1',
      '      served: true',
      '      storage: true',
      '      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}',
      '---',
      `apiVersion: ${group}/v1`,
      'kind: Widget',
      'metadata: {name: made-by-post-render}',
      'spec: {size: 3}',
      'OBJECT',
    ].join('\n'),
  );
  const inputs = {
    namespace,
    'stable-for': '2s',
    'client-replicas': '2',
    'server-storage': 'ephemeral',
    'post-render': `sh "${script}"`,
    'manifests-path': 'consul-manifests.yaml',
  };
  let digest: string | undefined;

  it('has what it adds applied with the rest, and the cluster works', async () => {
    const outcome = await deploy(inputs);
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs.result).toBe('success');
    expect(outcome.report?.objects).toContainEqual({
      kind: 'ConfigMap',
      name: 'made-by-post-render',
      namespace,
      action: 'created',
    });
    expect(
      await kubectl('-n', namespace, 'get', 'cm/made-by-post-render', '-o', 'jsonpath={.data.key}'),
    ).toBe('value');
    expect(
      await kubectl(
        '-n',
        namespace,
        'get',
        `widgets.${group}/made-by-post-render`,
        '-o',
        'jsonpath={.spec.size}',
      ),
    ).toBe('3');
    const { items } = await kubectlJson<{ items: { kind: string; metadata: { name: string } }[] }>(
      '-n',
      namespace,
      'get',
      'statefulsets,services,configmaps,poddisruptionbudgets',
      '-l=team=platform',
    );
    expect(items.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual(
      outcome.report?.objects
        .filter(
          ({ kind, name }) =>
            !/^(Namespace|ServiceAccount|CustomResourceDefinition)$/.test(kind) &&
            name !== 'made-by-post-render',
        )
        .map(({ kind, name }) => `${kind}/${name}`)
        .sort(),
    );
    expect(outcome.read('consul-manifests.yaml')).toContain('name: made-by-post-render');
    digest = outcome.outputs['manifest-digest'];
  });

  it('counts into the digest, and the same again changes nothing', async () => {
    const again = await deploy(inputs);
    expect(again.code, again.log).toBe(0);
    expect(again.outputs).toMatchObject({ result: 'success', changed: 'false', 'manifest-digest': digest });
    const { 'post-render': _, ...without } = inputs;
    const plain = await deploy({ ...without, mode: 'render' });
    expect(plain.code, plain.log).toBe(0);
    expect(plain.outputs['manifest-digest']).not.toBe(digest);
  });
});

describe('the recipes of docs/guides/patches.md, in a namespace without pods', () => {
  const namespace = namespaceName('recipes');
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-recipes-'));
  beforeAll(async () => {
    await kubectl('create', 'namespace', namespace);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await removeNamespace(namespace);
  });

  const dryRun = [
    '-n',
    namespace,
    'apply',
    '--server-side',
    '--dry-run=server',
    '--validate=strict',
    '-f',
    '-',
  ];
  const file = 'consul-manifests.yaml';
  const base = { mode: 'render', namespace, 'create-namespace': 'false', 'manifests-path': file };

  it.each(cookbook())('the API server takes: $title', async ({ inputs, files }) => {
    let command = inputs['post-render'];
    for (const [path, text] of files) {
      const there = join(folder, path);
      mkdirSync(dirname(there), { recursive: true });
      writeFileSync(there, text);
      command = command?.replace(path, there);
    }
    const outcome = await deploy({ ...inputs, ...base, ...(command && { 'post-render': command }) });
    expect(outcome.code, outcome.log).toBe(0);
    // The Prometheus Operator is not there, so nobody knows its kinds.
    const known = outcome
      .read(file)
      .split(/^---\n/m)
      .filter((document) => !document.includes('\nkind: PodMonitor\n'));
    expect(known.length).toBeGreaterThan(10);
    await kubectlFed(known.join('---\n'), ...dryRun);
  });

  it('and refuses a field that is misspelt', async () => {
    const outcome = await deploy(base);
    const misspelt = outcome.read(file).replace('\n  podManagementPolicy:', '\n  podManagmentPolicy:');
    await kubectlFed(outcome.read(file), ...dryRun);
    await expect(kubectlFed(misspelt, ...dryRun)).rejects.toThrow('podManagmentPolicy');
  });
});
