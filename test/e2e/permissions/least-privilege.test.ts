import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul } from '../consul/consul.ts';
import { put } from '../consul/registration.ts';
import {
  eventually,
  isReady,
  kubectl,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy, type Outcome } from '../run/action.ts';
import { CLIENTS, CONTAINER } from '../run/scenario.ts';
import { applyRbac, kubeconfigOf, type RbacObject, rbac, removeRbac } from './rbac.ts';

describe('a ServiceAccount with exactly the documented permissions', () => {
  const namespace = namespaceName('least');
  const objects = rbac('docs/rbac.yaml', namespace);
  const secret = 'a-token-that-no-acl-asks-for';
  /** Holds a secret, so it goes into one. */
  const agents = (level: string) =>
    JSON.stringify({ log_level: level, acl: { tokens: { default: secret } } });
  let token: string;
  let inputs: Record<string, string>;

  function told({ log, summary, report }: Outcome): string {
    return [log, summary, JSON.stringify(report)].join('\n');
  }

  beforeAll(async () => {
    await applyRbac(objects);
    token = (await kubectl('-n', namespace, 'create', 'token', 'consul-deploy')).trim();
    inputs = {
      namespace,
      'create-namespace': 'false',
      kubeconfig: await kubeconfigOf(namespace, token),
      'stable-for': '0s',
      'client-replicas': '2',
      'server-storage': '1Gi',
      'client-config': agents('INFO'),
    };
  });
  afterAll(async () => {
    await removeRbac(objects);
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
    expect(told(outcome)).not.toContain(secret);
  });

  it('deploys a DaemonSet of clients too', async () => {
    // The names of Secrets are those of the deployment.
    for (const { resourceNames } of objects.flatMap(({ rules = [] }) => rules)) {
      if (resourceNames?.includes('consul-gossip'))
        resourceNames.push(...resourceNames.map((name) => name.replace('consul', 'other')));
    }
    await applyRbac(objects);
    const outcome = await deploy({
      ...inputs,
      servers: '1',
      'client-replicas': '10',
      clients: 'daemonset',
      name: 'other',
      'server-storage': 'ephemeral',
      'client-config': '',
    });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', voters: '1' });
  });

  const role = objects.find(({ kind }) => kind === 'Role');
  const permissions = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => ({ verb, resource, group: apiGroups[0] ?? '' }))),
  );
  /** The Secrets that are asked for. */
  const of = (resource: string) =>
    resource === 'secrets'
      ? ['client-config', 'gossip', 'server-tls', 'client-tls', 'ca'].map((one) => ` consul-${one}`)
      : [''];
  /** What may be missing: it only makes the diagnosis poorer. Nor does a StatefulSet need those for DaemonSets. */
  const OPTIONAL = ['events', 'pods/log', 'resourcequotas', 'daemonsets'];
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
    await applyRbac([{ ...role, rules: rules.filter(({ verbs }) => verbs.length > 0) } as RbacObject]);
    const changed = [...removed, ...permissions.filter(({ resource, verb }) => !kept(resource, verb))];
    removed = changed.slice(removed.length);
    // The Role is one object, in force whole: what it gave or took first tells of all.
    const isKept = ({ resource, verb }: (typeof permissions)[0]) => kept(resource, verb);
    const witnesses = [changed.find(isKept), changed.find((one) => !isKept(one))];
    await eventually('the permissions to be as granted', 10_000, async () => {
      for (const { verb, resource, group } of witnesses.flatMap((one) => one ?? [])) {
        const [name = '', subresource] = resource.split('/');
        const asked = [
          group ? `${name}.${group}` : name + (of(resource)[0] ?? '').replace(' ', '/'),
          ...(subresource ? [`--subresource=${subresource}`] : []),
        ];
        if ((await may(verb, asked)) !== kept(resource, verb)) return undefined;
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

  it('plans with less: it watches nothing, forwards no port and takes no lock', async () => {
    const enough = ['get', 'create', 'patch'];
    await grant((resource, verb) => enough.includes(verb) && !/^(leases|pods)/.test(resource));
    const outcome = await deploy({ ...inputs, mode: 'plan', 'client-config': agents('DEBUG') });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.summary).toContain('Plan: 3 changes: rolls 2 client pods');
    expect(outcome.report?.warnings).toEqual([]);
  });

  it('is refused before anything is written, with the Role to paste, whichever verb is missing', async () => {
    const before = await versions(namespace);
    const lease = () =>
      kubectl('-n', namespace, 'get', 'leases', '-o', 'jsonpath={.items[*].metadata.resourceVersion}');
    const locked = await lease();
    // Nothing will go yet; then the records of other deployments are looked for, where they may be.
    const once = new Map(permissions.map((one) => [JSON.stringify(one), one]));
    const needed = [...once.values()].filter(
      ({ resource, verb }) =>
        !OPTIONAL.includes(resource) && verb !== 'delete' && `${verb} ${resource}` !== 'list configmaps',
    );
    expect(needed.length).toBeGreaterThan(20);
    for (const [verb, missing] of Map.groupBy(needed, (one) => one.verb)) {
      const resources = missing.map(({ resource }) => resource);
      await grant((resource, one) => one !== verb || !resources.includes(resource));
      // There is something to write: a new setting.
      const outcome = await deploy({ ...inputs, 'client-config': agents('DEBUG') });
      expect(outcome.code, verb).toBe(1);
      expect(outcome.outputs).toMatchObject({
        result: 'failure',
        'failure-reason': 'forbidden',
        changed: 'false',
      });
      const lines = missing.flatMap(({ resource, group }) =>
        of(resource).map((name) => `${verb} ${resource}${name}${group ? ` (${group})` : ''} in ${namespace}`),
      );
      // The details name every permission that is missing, and no other.
      expect(outcome.report?.failure?.details.toSorted()).toEqual(lines.toSorted());
      expect(outcome.report?.failure?.hint).toContain('kind: Role');
      for (const line of lines) expect(outcome.log).toContain(line);
      for (const resource of resources) expect(outcome.summary).toContain(`${verb} ${resource}`);
      expect(outcome.report?.left).toBe('Nothing was changed.');
      const failed = outcome.report?.checks.filter(({ status }) => status === 'failed');
      expect(failed?.map(({ id }) => id)).toContain('cluster-permissions');
      expect(told(outcome)).not.toContain(token);
    }
    expect(await versions(namespace)).toEqual(before);
    expect(await lease()).toBe(locked);
  });

  it('is asked for the right to delete when something will go', async () => {
    await grant((resource, verb) => resource !== 'services' || verb !== 'delete');
    const before = await versions(namespace);
    const outcome = await deploy({ ...inputs, ui: 'false' });
    expect(outcome.outputs).toMatchObject({ 'failure-reason': 'forbidden', changed: 'false' });
    expect(outcome.report?.failure?.details).toEqual([`delete services in ${namespace}`]);
    expect(await versions(namespace)).toEqual(before);
  });

  it('without what is optional deploys all the same, and says what it may not read when it fails', async () => {
    await grant((resource) => !['events', 'pods/log', 'resourcequotas'].includes(resource));
    const green = await deploy(inputs);
    expect(green.code, green.log).toBe(0);
    const operations = [{ op: 'replace', path: `${CONTAINER}/image`, value: 'No/Image' }];
    const patches = JSON.stringify([{ target: CLIENTS, operations }]);
    const red = await deploy({ ...inputs, patches });
    expect(red.outputs).toMatchObject({ result: 'failure', 'failure-reason': 'image' });
    expect(red.report?.failure?.details.join('\n')).toContain('events: these permissions do not allow');
  });

  it('moves registrations with what is documented for that, and not without', async () => {
    await grant(() => true);
    const [server] = await pods(namespace, 'server');
    const ip = server?.status.podIP ?? '';
    await put(ip, '/v1/agent/service/register', { Name: 'stray', Address: ip, Port: 8500 });
    const move = { ...inputs, 'move-registrations': 'true' };
    const refused = await deploy(move);
    expect(refused.outputs).toMatchObject({ 'failure-reason': 'forbidden', changed: 'false' });
    expect(refused.report?.failure?.details.sort()).toEqual([
      `create pods/exec in ${namespace}`,
      `get pods/exec in ${namespace}`,
    ]);
    await applyRbac(rbac('docs/rbac-move.yaml', namespace));
    await eventually('the permission', 10_000, async () =>
      (await may('create', ['pods', '--subresource=exec'])) ? true : undefined,
    );
    const outcome = await deploy(move);
    expect(outcome.code, outcome.log).toBe(0);
    expect(await consul(ip, '/v1/agent/services')).toEqual({});
  });

  it('restarts servers in their pods, and changes their certificates, with what is documented for changes', async () => {
    await grant(() => true);
    await applyRbac(rbac('docs/rbac-change.yaml', namespace));
    await eventually('the permission', 10_000, async () =>
      (await may('patch', ['pods'])) ? true : undefined,
    );
    const uids = async () => (await pods(namespace, 'server')).map(({ metadata }) => metadata.uid).sort();
    const before = await uids();
    const changed = { ...inputs, 'server-config': '{"session_ttl_min": "12s"}', rotate: 'ca' };
    const outcome = await deploy(changed);
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.log).toContain('consul-server-0 was restarted in');
    expect(await uids()).toEqual(before);
    expect(told(outcome)).not.toContain(token);
  });

  it('destroys with what is documented for that, and not without', async () => {
    await grant(() => true);
    const destroy = { ...inputs, mode: 'destroy', confirm: 'consul', 'destroy-data': 'true' };
    const refused = await deploy(destroy);
    expect(refused.outputs).toMatchObject({ 'failure-reason': 'forbidden', changed: 'false' });
    expect(refused.report?.failure?.details.sort()).toEqual([
      `delete leases (coordination.k8s.io) in ${namespace}`,
      `delete persistentvolumeclaims in ${namespace}`,
      `list persistentvolumeclaims in ${namespace}`,
    ]);
    await applyRbac(rbac('docs/rbac-destroy.yaml', namespace));
    await eventually('the permission', 10_000, async () =>
      (await may('delete', ['persistentvolumeclaims'])) ? true : undefined,
    );
    const outcome = await deploy(destroy);
    expect(outcome.code, outcome.log).toBe(0);
    const claims = await kubectl('-n', namespace, 'get', 'persistentvolumeclaims', '-o', 'name');
    expect(claims).toBe('');
  });
});
