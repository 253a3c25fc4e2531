import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadKubeConfig } from '../src/kubernetes/http/kubeconfig.ts';
import { clusterMismatch } from '../src/session/expected-cluster.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

interface Named {
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

interface Binding extends Named {
  roleRef: { kind: string; name: string };
  subjects: { kind: string; name: string; namespace: string }[];
}

const blocks = [...read('docs/guides/arc.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, text = '']) => text,
);
const [applied = '', values = '', workflow = ''] = blocks;
const objects = (text: string) => parseAllDocuments(text).map((document) => document.toJS() as Named);
const manifests = objects(applied);
const rights = objects(read('docs/rbac.yaml'));
const one = (kind: string, of = manifests) => of.filter((object) => object.kind === kind);
const chart = parse(values);
const { spec: pod, metadata: podMetadata } = chart.template;
const runner = pod.containers.find(({ name }: { name: string }) => name === 'runner');
const [account] = one('ServiceAccount');

describe('the recipe for runners in the cluster', () => {
  test('is YAML: what is applied, the values of the chart, and a workflow', () => {
    expect(blocks).toHaveLength(3);
    expect(manifests.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'RoleBinding',
      'ClusterRoleBinding',
      'ConfigMap',
      'NetworkPolicy',
    ]);
  });

  test('binds the runners to the Roles of docs/rbac.yaml, to each of them and to no other', () => {
    const bindings = (of: Named[]) =>
      [...one('RoleBinding', of), ...one('ClusterRoleBinding', of)].map((binding) => {
        const { roleRef, metadata } = binding as Binding;
        return { roleRef, namespace: metadata.namespace };
      });
    expect(bindings(manifests)).toEqual(bindings(rights));
    expect(bindings(manifests)).toHaveLength(2);
    // Another name: with the same one it would take the right from whoever has it.
    const names = (of: Named[]) =>
      of.map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`);
    for (const name of names(manifests)) expect(names(rights)).not.toContain(name);
  });

  test('gives these rights to the ServiceAccount that the runners have', () => {
    const { name, namespace } = account?.metadata ?? {};
    for (const binding of [...one('RoleBinding'), ...one('ClusterRoleBinding')])
      expect((binding as Binding).subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }]);
    expect(pod.serviceAccountName).toBe(name);
    for (const kind of ['ConfigMap', 'NetworkPolicy'])
      for (const object of one(kind)) expect(object.metadata.namespace).toBe(namespace);
  });

  test('mounts no token but the one that the kubeconfig names', () => {
    expect(account).toMatchObject({ automountServiceAccountToken: false });
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  test('has a kubeconfig that the action loads, with files that are mounted, and the cluster that the workflow expects', async () => {
    const [config] = one('ConfigMap');
    const { kubeconfig: yaml = '' } = (config?.data ?? {}) as { kubeconfig?: string };
    const loaded = await loadKubeConfig({ yaml });
    const [volume] = pod.volumes;
    const [mount] = runner.volumeMounts;
    expect(mount.name).toBe(volume.name);
    const files: string[] = volume.projected.sources.flatMap(
      (source: { serviceAccountToken?: { path: string }; configMap?: { items: { path: string }[] } }) =>
        source.serviceAccountToken?.path ?? source.configMap?.items.map(({ path }) => path) ?? [],
    );
    const paths = files.map((file) => join(mount.mountPath, file));
    expect(paths).toContain(loaded.getCurrentCluster()?.caFile);
    expect(paths).toContain(loaded.getCurrentUser()?.authProvider?.config.tokenFile);
    const [{ with: inputs, uses }] = parse(workflow).jobs.deploy.steps;
    expect(uses).toMatch(/^org\/consul-deploy@/);
    expect(paths).toContain(inputs.kubeconfig);
    const server = loaded.getCurrentCluster()?.server ?? '';
    expect(clusterMismatch(inputs['expect-cluster'], server, loaded.getCurrentContext())).toBeUndefined();
    expect(clusterMismatch(inputs['expect-cluster'], server, 'staging-fra')).toBeDefined();
  });

  test('takes the ConfigMaps that are applied, besides the authority that every namespace has', () => {
    const named = pod.volumes.flatMap(
      ({ projected }: { projected: { sources: { configMap?: { name: string } }[] } }) =>
        projected.sources.flatMap(({ configMap }) => configMap?.name ?? []),
    );
    expect(named.sort()).toEqual(['consul-deploy-kubeconfig', 'kube-root-ca.crt']);
    expect(one('ConfigMap').map(({ metadata }) => metadata.name)).toEqual(['consul-deploy-kubeconfig']);
  });

  test('closes the network of the pods that it makes', () => {
    const [policy] = one('NetworkPolicy');
    const { podSelector, policyTypes, ingress } = (policy?.spec ?? {}) as {
      podSelector?: { matchLabels: object };
      policyTypes?: string[];
      ingress?: unknown;
    };
    expect(podMetadata.labels).toEqual(podSelector?.matchLabels);
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    expect(ingress).toBeUndefined();
  });

  test('has a workflow without a secret, that runs on the set and asks for no namespace', () => {
    const { jobs, permissions } = parse(workflow);
    expect(permissions).toEqual({});
    expect(workflow).not.toContain('secrets');
    expect(jobs.deploy['runs-on']).toBe('consul-deploy');
    // The Role of docs/rbac.yaml may not make one.
    expect(jobs.deploy.steps[0].with['create-namespace']).toBe(false);
    expect(jobs.deploy.environment).toBeDefined();
  });
});
