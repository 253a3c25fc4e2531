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
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
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

  const role = objects.find(({ kind }) => kind === 'Role');
  const permissions = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => ({ verb, resource, group: apiGroups[0] ?? '' }))),
  );
  /** What may be missing: it only makes the diagnosis poorer. Nor does a StatefulSet need those for DaemonSets. */
  const OPTIONAL = ['events', 'pods/log', 'daemonsets'];
  const user = `--as=system:serviceaccount:${namespace}:consul-deploy`;

  let removed: typeof permissions = [];

  /** The Role without some of it, in force. */
  async function grant(kept: (resource: string, verb: string) => boolean): Promise<void> {
    const rules = (role?.rules ?? []).flatMap((rule) =>
      rule.resources.map((resource) => ({
        ...rule,
        resources: [resource],
        verbs: rule.verbs.filter((verb) => kept(resource, verb)),
      })),
    );
    await apply([{ ...role, rules: rules.filter(({ verbs }) => verbs.length > 0) } as RbacObject]);
    const changed = [...removed, ...permissions.filter(({ resource, verb }) => !kept(resource, verb))];
    removed = changed.slice(removed.length);
    await eventually('the permissions to be as granted', 10_000, async () => {
      for (const { verb, resource, group } of changed) {
        const [name = '', subresource] = resource.split('/');
        const of = [
          group ? `${name}.${group}` : name,
          ...(subresource ? [`--subresource=${subresource}`] : []),
        ];
        if ((await may(verb, of)) !== kept(resource, verb)) return undefined;
      }
      return true;
    });
  }

  function may(verb: string, of: string[]): Promise<boolean> {
    return kubectl('-n', namespace, 'auth', 'can-i', verb, ...of, user).then(
      () => true,
      () => false,
    );
  }

  it('is refused before anything is written, with the Role to paste, whichever verb is missing', async () => {
    const before = await versions(namespace);
    const lease = () =>
      kubectl('-n', namespace, 'get', 'leases', '-o', 'jsonpath={.items[*].metadata.resourceVersion}');
    const locked = await lease();
    const needed = permissions.filter(({ resource }) => !OPTIONAL.includes(resource));
    expect(needed.length).toBeGreaterThan(20);
    for (const missing of needed) {
      await grant((resource, verb) => resource !== missing.resource || verb !== missing.verb);
      // There is something to write: a new setting.
      const outcome = await deploy({ ...inputs, 'client-config': '{"log_level": "DEBUG"}' });
      expect(outcome.code, JSON.stringify(missing)).toBe(1);
      expect(outcome.outputs).toMatchObject({
        result: 'failure',
        'failure-reason': 'forbidden',
        changed: 'false',
      });
      const { verb, resource, group } = missing;
      const line = `${verb} ${resource}${group ? ` (${group})` : ''} in ${namespace}`;
      expect(outcome.report?.failure?.details).toEqual([line]);
      expect(outcome.report?.failure?.hint).toContain('kind: Role');
      expect(outcome.log).toContain(line);
      expect(outcome.summary).toContain(`${verb} ${resource}`);
      expect(outcome.report?.left).toBe('Nothing was changed.');
      const failed = outcome.report?.checks.filter(({ status }) => status === 'failed');
      expect(failed?.map(({ id }) => id)).toContain('cluster-permissions');
      expect(told(outcome)).not.toContain(token);
    }
    expect(await versions(namespace)).toEqual(before);
    expect(await lease()).toBe(locked);
  });

  it('without what is optional deploys all the same, and says what it may not read when it fails', async () => {
    await grant((resource) => !['events', 'pods/log'].includes(resource));
    const green = await deploy(inputs);
    expect(green.code, green.log).toBe(0);
    const nodeSelector = { nobody: 'has' };
    const target = { kind: 'StatefulSet', name: 'consul-client' };
    const patches = [{ target, merge: { spec: { template: { spec: { nodeSelector } } } } }];
    const red = await deploy({ ...inputs, patches: JSON.stringify(patches) });
    expect(red.outputs).toMatchObject({ result: 'failure', 'failure-reason': 'unschedulable' });
    expect(red.report?.failure?.details.join('\n')).toContain('events: these permissions do not allow');
  });
});
