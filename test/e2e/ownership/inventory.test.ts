import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { members } from '../consul/consul.ts';
import {
  eventually,
  kubectl,
  kubectlApply,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { TINY } from '../run/scenario.ts';
import { adding, configMap, everythingIn, succeeded, told } from './owned.ts';

interface Entry {
  kind: string;
  name: string;
  uid: string;
}

async function inventory(
  namespace: string,
): Promise<{ phase: string; entries: Entry[]; history: unknown[] }> {
  const text = await kubectl(
    '-n',
    namespace,
    'get',
    'configmap',
    'consul-deploy-consul',
    '-o',
    'jsonpath={.data.inventory}',
  );
  return JSON.parse(text);
}

const uidsOf = ({ entries }: { entries: Entry[] }) =>
  Object.fromEntries(entries.map(({ kind, name, uid }) => [`${kind}/${name}`, uid]));

describe('what a deployment owns', () => {
  const namespace = namespaceName('owned');
  const inputs = { ...TINY, namespace };
  const keep = { annotations: { 'consul-deploy/prune': 'keep' } };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key' },
    stringData: { key: 'hunter2-hunter2' },
  };
  const still = () => adding(configMap('renamed'));

  beforeAll(() => kubectl('create', 'namespace', namespace));
  afterAll(() => removeNamespace(namespace));

  it('is what it has applied, and with it what a person had made of it with kubectl apply', async () => {
    const mine = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'consul-client', namespace, labels: { by: 'hand' } },
    };
    await kubectlApply(stringify(mine));
    const plan = succeeded(await deploy({ ...inputs, mode: 'plan' }));
    const planned = plan.report?.plan?.find(
      ({ kind, name }) => `${kind}/${name}` === 'ServiceAccount/consul-client',
    );
    expect(planned?.fields).toContainEqual({ path: '.metadata.labels.by', before: '"hand"' });
    expect(planned?.notes).toContainEqual(expect.stringContaining('takes from "kubectl-client-side-apply"'));
    const extra = adding(configMap('named'), configMap('taken'), configMap('kept', keep), secret);
    const outcome = succeeded(await deploy({ ...inputs, 'post-render': extra }));
    expect(outcome.report?.warnings).toContainEqual(
      expect.stringContaining('ServiceAccount/consul-client exists'),
    );

    const account = await kubectlJson<{
      metadata: { labels: object; annotations?: object; managedFields: { manager: string }[] };
    }>('-n', namespace, 'get', 'serviceaccount', 'consul-client', '--show-managed-fields');
    // What was not rendered went with its manager, which would never have come back for it.
    expect(account.metadata.labels).not.toHaveProperty('by');
    expect(account.metadata.annotations ?? {}).not.toHaveProperty(
      'kubectl.kubernetes.io/last-applied-configuration',
    );
    expect(account.metadata.managedFields.map(({ manager }) => manager)).toEqual(['consul-deploy']);

    const record = await inventory(namespace);
    expect(record).toMatchObject({
      phase: 'deployed',
      history: [expect.objectContaining({ mode: 'deploy', changed: true })],
    });
    const there = await everythingIn(namespace);
    // The keys of the agents are kept as data is.
    const ours = Object.entries(there).filter(
      ([object]) =>
        !/^(Pod|Lease)\/|^ConfigMap\/consul-deploy-|^Secret\/consul-(gossip|ca|(server|client)-tls)$/.test(
          object,
        ),
    );
    expect(uidsOf(record)).toEqual(Object.fromEntries(ours));
    const all = await kubectl('-n', namespace, 'get', 'configmap', 'consul-deploy-consul', '-o', 'yaml');
    expect(all).not.toContain(Buffer.from('hunter2-hunter2').toString('base64'));
  });

  it('is not removed at all when it is more than max-prune', async () => {
    const before = await versions(namespace);
    const outcome = await deploy({ ...inputs, 'post-render': still(), 'max-prune': '1' });
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({ 'failure-reason': 'prune-limit', changed: 'false' });
    expect(outcome.report?.failure?.details).toEqual([
      'ConfigMap/named would be removed',
      'ConfigMap/taken would be removed',
    ]);
    expect(outcome.report?.left).toBe('Nothing was changed.');
    expect(await versions(namespace)).toEqual(before);
  });

  it('goes when it is renamed, and nothing else does', async () => {
    // Somebody else has taken the name, and somebody has put a label where we have none.
    await kubectl('-n', namespace, 'delete', 'configmap', 'taken');
    await kubectl('-n', namespace, 'create', 'configmap', 'taken', '--from-literal=a=theirs');
    await kubectl('-n', namespace, 'label', 'service', 'consul-server', 'by=hand');
    const before = await everythingIn(namespace);
    const outcome = succeeded(await deploy({ ...inputs, 'post-render': still() }));
    expect(told(outcome, 'removed')).toEqual(['ConfigMap/named']);
    expect(told(outcome, 'kept').sort()).toEqual(['ConfigMap/kept', 'ConfigMap/taken', 'Secret/key']);
    expect(outcome.log).toContain(
      'ConfigMap/taken is not rendered any more and stays: somebody else recreated it',
    );

    const { 'ConfigMap/named': gone, ...rest } = before;
    expect(gone).toBeDefined();
    const after = await everythingIn(namespace);
    expect(after).toEqual({ ...rest, 'ConfigMap/renamed': after['ConfigMap/renamed'] });
    expect(
      await kubectl(
        '-n',
        namespace,
        'get',
        'service',
        'consul-server',
        '-o',
        'jsonpath={.metadata.labels.by}',
      ),
    ).toBe('hand');
    const owned = uidsOf(await inventory(namespace));
    expect(Object.keys(owned)).toEqual(
      expect.arrayContaining(['ConfigMap/renamed', 'ConfigMap/kept', 'Secret/key']),
    );
    expect(Object.keys(owned)).not.toEqual(expect.arrayContaining(['ConfigMap/named']));
    expect(Object.keys(owned)).not.toEqual(expect.arrayContaining(['ConfigMap/taken']));
  });

  describe('is shared with others', () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'consul-ui', namespace },
      spec: { ports: [{ port: 80, protocol: 'TCP', name: 'other' }] },
    };

    it('by an autoscaler, which is left alone, and by people and tools, which are told', async () => {
      const autoscaler = {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'clients', namespace },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'consul-client' },
          minReplicas: 3,
          maxReplicas: 4,
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 90 } },
            },
          ],
        },
      };
      await kubectlApply(stringify(autoscaler));
      await kubectl(
        '-n',
        namespace,
        'patch',
        'service',
        'consul-server',
        '--field-manager=kubectl-edit',
        '-p',
        '{"metadata":{"labels":{"app":"theirs"}}}',
      );
      await kubectlApply(stringify(service), '--server-side', '--field-manager=other', '--force-conflicts');
      await eventually('the autoscaler to scale', 60_000, async () =>
        (await replicas()) === '3' ? true : undefined,
      );
      const outcome = await deploy({ ...inputs, 'post-render': still() });
      expect(outcome.outputs).toMatchObject({
        result: 'failure',
        'failure-reason': 'conflict',
        changed: 'false',
      });
      expect(outcome.report?.failure?.details.sort()).toEqual([
        'Service/consul-server .metadata.labels.app: owned by "kubectl-edit" (live "theirs", wanted "consul")',
        expect.stringMatching(
          /^Service\/consul-ui \.spec\.ports\[port=80,protocol="TCP"\]\.name: owned by "other"/,
        ),
      ]);
    });

    it('until the user says who is right: the autoscaler keeps its count all the same', async () => {
      const outcome = succeeded(
        await deploy({ ...inputs, 'post-render': still(), 'force-conflicts': 'Service/*:**' }),
      );
      expect(outcome.outputs['clients-ready']).toBe('3');
      expect(outcome.report?.warnings).toContainEqual(
        expect.stringContaining(
          'StatefulSet/consul-client .spec.replicas is left to kube-controller-manager',
        ),
      );
      expect(await replicas()).toBe('3');
      expect(
        await kubectl(
          '-n',
          namespace,
          'get',
          'service',
          'consul-server',
          '-o',
          'jsonpath={.metadata.labels.app}',
        ),
      ).toBe('consul');
      await kubectl('-n', namespace, 'delete', 'horizontalpodautoscaler', 'clients');
    });

    function replicas(): Promise<string> {
      return kubectl(
        '-n',
        namespace,
        'get',
        'statefulset',
        'consul-client',
        '-o',
        'jsonpath={.spec.replicas}',
      );
    }
  });

  it('goes as a whole workload when clients move to another kind, once the new ones are proven', async () => {
    const { 'client-replicas': _, ...rest } = inputs;
    const outcome = succeeded(await deploy({ ...rest, 'post-render': still(), clients: 'daemonset' }));
    expect(told(outcome, 'removed')).toEqual(['StatefulSet/consul-client']);
    expect(told(outcome, 'created')).toEqual(['DaemonSet/consul-client']);
    const objects = Object.keys(await everythingIn(namespace));
    expect(objects).toContain('DaemonSet/consul-client');
    expect(objects).not.toContain('StatefulSet/consul-client');
    await eventually('the old clients to leave', 60_000, async () => {
      const clients = await pods(namespace, 'client');
      return clients.some(({ metadata }) => /^consul-client-\d+$/.test(metadata.name)) ? undefined : clients;
    });
    const [server] = await pods(namespace, 'server');
    const alive = (await members(server?.status.podIP ?? '')).filter(
      ({ Status, Tags }) => Status === 1 && Tags.role === 'node',
    );
    const clients = await pods(namespace, 'client');
    expect(alive.map(({ Name }) => Name).sort()).toEqual(clients.map(({ spec }) => spec.nodeName).sort());
  });

  it('stays when another deployment in the namespace has rendered it, too', async () => {
    const { 'client-replicas': _, ...rest } = inputs;
    const other = { ...rest, name: 'other', clients: 'none', 'post-render': still() };
    succeeded(await deploy(other));
    const before = await everythingIn(namespace);
    const outcome = succeeded(await deploy({ ...rest, clients: 'daemonset' }));
    expect(told(outcome, 'removed')).toEqual([]);
    expect(outcome.log).toContain(
      'ConfigMap/renamed is not rendered any more and stays: it is in the record of the deployment "other", too',
    );
    expect(await everythingIn(namespace)).toEqual(before);
    expect(uidsOf(await inventory(namespace))).not.toHaveProperty('ConfigMap/renamed');
  });
});
