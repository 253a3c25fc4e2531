import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { deploy, type Outcome } from './action.ts';
import {
  eventually,
  isReady,
  kubectl,
  kubectlApply,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from './cluster.ts';

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

interface RbacObject {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: { resources: string[]; verbs: string[] }[];
  roleRef?: Subject;
  subjects?: Subject[];
}

/** The documented permissions, as a person would adapt them: another namespace, other cluster-wide names. */
function rbac(namespace: string): RbacObject[] {
  const documents = parseAllDocuments(readFileSync('docs/rbac.yaml', 'utf8'));
  const objects = documents.map((document) => document.toJS() as RbacObject);
  const fitness = 'consul-deploy-fitness';
  for (const { kind, metadata, roleRef, subjects } of objects) {
    if (kind === 'Namespace') metadata.name = namespace;
    if (metadata.namespace) metadata.namespace = namespace;
    if (metadata.name === fitness) metadata.name = `${namespace}-fitness`;
    if (roleRef?.name === fitness) roleRef.name = `${namespace}-fitness`;
    for (const subject of subjects ?? []) subject.namespace = namespace;
  }
  return objects;
}

function apply(objects: readonly RbacObject[]): Promise<void> {
  return kubectlApply(objects.map((object) => stringify(object)).join('---\n'));
}

/** One line of base64 with nothing of the admin's kubeconfig but where the cluster is. */
async function kubeconfigOf(namespace: string, token: string): Promise<string> {
  const admin = await kubectlJson<{ clusters: unknown[] }>(
    'config',
    'view',
    '--raw',
    '--minify',
    '--flatten',
  );
  const [cluster] = admin.clusters as { name: string }[];
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: admin.clusters,
    users: [{ name: 'consul-deploy', user: { token } }],
    contexts: [{ name: 'least', context: { cluster: cluster?.name, user: 'consul-deploy', namespace } }],
    'current-context': 'least',
  };
  return Buffer.from(JSON.stringify(kubeconfig)).toString('base64');
}

describe('a ServiceAccount with exactly the documented permissions', () => {
  const namespace = namespaceName('least');
  const objects = rbac(namespace);
  let token: string;
  let inputs: Record<string, string>;

  function told({ log, summary, report }: Outcome): string {
    return [log, summary, JSON.stringify(report)].join('\n');
  }

  beforeAll(async () => {
    await apply(objects);
    token = (await kubectl('-n', namespace, 'create', 'token', 'consul-deploy')).trim();
    inputs = {
      namespace,
      'create-namespace': 'false',
      kubeconfig: await kubeconfigOf(namespace, token),
      'stable-for': '2s',
      'client-replicas': '2',
      'server-storage': '1Gi',
    };
  });
  afterAll(async () => {
    await kubectl('delete', 'clusterrolebinding,clusterrole', `${namespace}-fitness`, '--ignore-not-found');
    await removeNamespace(namespace);
  });

  it('deploys and proves the cluster, checks its fitness, and tells nobody the token', async () => {
    const outcome = await deploy(inputs, { KUBECONFIG: '/nonexistent' });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', voters: '3', 'clients-ready': '2' });
    expect(outcome.report?.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(outcome.report?.cluster?.context).toBe('least');
    expect(outcome.log).not.toContain('may not be listed');
    expect((await pods(namespace)).filter(isReady)).toHaveLength(5);
    expect(told(outcome)).not.toContain(token);
    expect(told(outcome)).not.toContain(inputs.kubeconfig);
  });

  it('deploys a DaemonSet of clients too', async () => {
    const outcome = await deploy({
      ...inputs,
      'client-replicas': '10',
      clients: 'daemonset',
      name: 'other',
      'server-storage': 'ephemeral',
    });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', voters: '3' });
  });

  it('is refused before anything is written, with the Role to paste, when one verb is missing', async () => {
    const role = structuredClone(objects.find(({ kind }) => kind === 'Role'));
    const rule = role?.rules?.find(({ resources }) => resources.includes('services'));
    if (!role || !rule) throw new Error('docs/rbac.yaml has no rule for services');
    rule.resources = rule.resources.filter((resource) => resource !== 'services');
    const verbs = rule.verbs.filter((verb) => verb !== 'patch');
    role.rules?.push({ ...rule, resources: ['services'], verbs });
    await apply([role]);
    const user = `--as=system:serviceaccount:${namespace}:consul-deploy`;
    await eventually('the permission to be gone', 10_000, () =>
      kubectl('-n', namespace, 'auth', 'can-i', 'patch', 'services', user).then(
        () => undefined,
        () => true,
      ),
    );
    const before = await versions(namespace);
    const lease = () =>
      kubectl('-n', namespace, 'get', 'leases', '-o', 'jsonpath={.items[*].metadata.resourceVersion}');
    const locked = await lease();

    // There is something to write: a new setting.
    const outcome = await deploy({ ...inputs, 'client-config': '{"log_level": "DEBUG"}' });
    expect(outcome.code).toBe(1);
    expect(outcome.outputs).toMatchObject({
      result: 'failure',
      'failure-reason': 'forbidden',
      changed: 'false',
    });
    expect(outcome.report?.failure?.details).toEqual([`patch services in ${namespace}`]);
    expect(outcome.report?.failure?.hint).toContain('kind: Role');
    expect(outcome.log).toContain(`patch services in ${namespace}`);
    expect(outcome.summary).toContain('patch services');
    expect(outcome.report?.left).toBe('Nothing was changed.');
    expect(outcome.report?.checks).toEqual([]);
    expect(await versions(namespace)).toEqual(before);
    expect(await lease()).toBe(locked);
    expect(told(outcome)).not.toContain(token);
  });
});
