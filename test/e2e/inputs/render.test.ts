import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { containers, kubectl, kubectlFed, kubectlJson } from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { CLIENTS, SERVERS, TINY } from '../run/scenario.ts';
import { newNamespace, removeNamespaces } from './refusal.ts';

afterAll(removeNamespaces);

describe('mode: render', () => {
  const NO_CLUSTER = { KUBECONFIG: '/nonexistent/kubeconfig' };

  it('needs no cluster, and Kubernetes takes what it writes as it is', async () => {
    const namespace = newNamespace('render');
    const outcome = await deploy({ mode: 'render', namespace }, NO_CLUSTER);
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'false' });
    expect(outcome.report?.left).toBe('No cluster was touched.');
    const yaml = outcome.read('consul-manifests.yaml');
    const documents = parseAllDocuments(yaml);
    const rendered = (Array.isArray(documents) ? documents : []).map((one) => one.toJS() as object);
    expect(rendered).toHaveLength(outcome.report?.objects.length ?? 0);
    expect(await kubectl('get', 'namespace', namespace, '--ignore-not-found')).toBe('');

    await kubectl('create', 'namespace', namespace);
    const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-render-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'rendered.yaml');
    await writeFile(file, yaml);
    const { items } = await kubectlJson<{ items: object[] }>(
      ...['apply', '--server-side', '--dry-run=server', '--validate=strict', '--force-conflicts', '-f', file],
    );
    // Everything that was rendered is in what would be stored; the rest are Kubernetes' own defaults.
    expect(items).toMatchObject(rendered);
  });

  it('what kubectl has applied of it is deployed as what it is: no pod is replaced', async () => {
    const namespace = newNamespace('rendered');
    const inputs = { ...TINY, namespace, 'client-replicas': '1', 'server-storage': '1Gi' };
    const { read } = await deploy({ ...inputs, mode: 'render' }, NO_CLUSTER);
    await kubectl('create', 'namespace', namespace);
    await kubectlFed(read('consul-manifests.yaml'), 'apply', '-f', '-');
    for (const { name } of [SERVERS, CLIENTS])
      await kubectl('-n', namespace, 'rollout', 'status', `statefulset/${name}`, '--timeout=120s');
    const before = await containers(namespace);
    const outcome = await deploy(inputs);
    expect(outcome.code, outcome.log).toBe(0);
    const consequences = outcome.report?.plan?.map(({ consequence }) => consequence);
    expect(new Set(consequences)).toEqual(new Set(['metadata']));
    expect(await containers(namespace)).toEqual(before);
    const again = await deploy(inputs);
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
  });

  it('writes the same for the same inputs, and says so by the digest', async () => {
    const inputs = { mode: 'render', 'client-config': '{"log_level":"debug"}' };
    const [one, two, other] = await Promise.all([
      deploy(inputs, NO_CLUSTER),
      deploy({ ...inputs, 'manifests-path': 'consul-manifests.yaml' }, NO_CLUSTER),
      deploy({ mode: 'render' }, NO_CLUSTER),
    ]);
    const digest = one.outputs['manifest-digest'];
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(two.outputs['manifest-digest']).toBe(digest);
    expect(two.read('consul-manifests.yaml')).toBe(one.read('consul-manifests.yaml'));
    expect(other.outputs['manifest-digest']).not.toBe(digest);
    expect(other.read('consul-manifests.yaml')).not.toBe(one.read('consul-manifests.yaml'));
  });
});
