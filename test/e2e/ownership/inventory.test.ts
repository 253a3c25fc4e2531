import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { consul, members } from '../consul/consul.ts';
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
import { deploy, type Outcome } from '../run/action.ts';
import { TINY } from '../run/scenario.ts';
import { adding, configMap, everythingIn } from './owned.ts';

function succeeded(outcome: Outcome): Outcome {
  expect(outcome.code, outcome.log).toBe(0);
  return outcome;
}

/** `Kind/name` of the objects of the report with this outcome. */
function told({ report }: Outcome, action: string): string[] {
  return (report?.objects ?? [])
    .filter((one) => one.action === action)
    .map(({ kind, name }) => `${kind}/${name}`);
}

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

describe('what others own', () => {
  const namespace = namespaceName('theirs');
  const inputs = { ...TINY, namespace };
  beforeAll(() => kubectl('create', 'namespace', namespace));
  afterAll(() => removeNamespace(namespace));

  const service = (metadata: object) =>
    stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'consul-server', namespace, ...metadata },
      spec: { ports: [{ port: 80 }] },
    });

  it.each<[string, Record<string, string>, object, string, string]>([
    [
      'by the word of the user',
      { adopt: 'never' },
      {},
      'not-owned',
      'Service/consul-server exists and was not deployed by this action',
    ],
    [
      'by Helm',
      {},
      {
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'mesh' },
      },
      'not-owned',
      'Service/consul-server belongs to the Helm release "mesh"',
    ],
    [
      'by the chart of consul-k8s',
      { adopt: 'always' },
      { labels: { app: 'consul', chart: 'consul-helm', heritage: 'Helm', component: 'server' } },
      'adoption',
      'Service/consul-server was installed by the consul-k8s chart',
    ],
  ])('is not touched: %s', async (_, change, metadata, reason, line) => {
    await kubectlApply(service(metadata));
    const before = await everythingIn(namespace);
    const version = await versions(namespace);
    const outcome = await deploy({ ...inputs, ...change });
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({ 'failure-reason': reason, changed: 'false' });
    expect(outcome.report?.failure?.details).toEqual([line]);
    expect(await versions(namespace)).toEqual(version);
    const { 'Lease/consul-deploy-consul': _lock, ...after } = await everythingIn(namespace);
    expect(after).toEqual(
      Object.fromEntries(Object.entries(before).filter(([object]) => !object.startsWith('Lease/'))),
    );
    await kubectl('-n', namespace, 'delete', 'service', 'consul-server');
  });

  it('becomes ours by the word of the user, with nothing left of who had it', async () => {
    const helm = {
      labels: { 'app.kubernetes.io/managed-by': 'Helm', release: 'mesh' },
      annotations: { 'meta.helm.sh/release-name': 'mesh', 'meta.helm.sh/release-namespace': namespace },
    };
    // Its one port has no name: beside ours it would have to have one.
    await kubectlApply(service(helm), '--server-side', '--field-manager=helm');
    const outcome = succeeded(await deploy({ ...inputs, adopt: 'always' }));
    expect(outcome.report?.warnings).toContainEqual(expect.stringContaining('Service/consul-server exists'));
    const { metadata } = await kubectlJson<{
      metadata: {
        labels: object;
        annotations?: object;
        managedFields: { manager: string; operation: string }[];
      };
    }>('-n', namespace, 'get', 'service', 'consul-server', '--show-managed-fields');
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'consul-deploy' });
    expect(metadata.labels).not.toHaveProperty('release');
    expect(metadata.annotations).toBeUndefined();
    expect(metadata.managedFields.map(({ manager }) => manager)).toEqual(['consul-deploy']);
  });
});

describe('configuration that holds a gossip key', () => {
  const namespace = namespaceName('key');
  const key = randomBytes(32).toString('base64');
  const { 'client-replicas': _, ...server } = TINY;
  const inputs = {
    ...server,
    namespace,
    clients: 'none',
    'server-storage': '1Gi',
    'server-config': JSON.stringify({ encrypt: key, log_level: 'DEBUG' }),
    'log-level': 'debug',
  };
  /** As versions had it that knew no Secret. */
  const before = `${process.execPath} ${resolve('test/e2e/ownership/as-config-map.mjs')}`;
  /** What the agent runs with, but for its address. */
  let running: string;
  afterAll(() => removeNamespace(namespace));

  async function configuration(): Promise<string> {
    const [server] = await pods(namespace, 'server');
    const ip = server?.status.podIP ?? '';
    const { DebugConfig } = await consul<{ DebugConfig: object }>(ip, '/v1/agent/self');
    return JSON.stringify(DebugConfig).replaceAll(ip, 'ADDRESS');
  }

  /** Where any form of the key stands. */
  function traces({ log, summary, outputs, report }: Outcome): string[] {
    const written = {
      // What the runner is told to mask, it does not print.
      log: log.replaceAll(/^.*::add-mask::.*$/gm, ''),
      summary,
      outputs: JSON.stringify(outputs),
      report: JSON.stringify(report),
    };
    const forms = [key, encodeURIComponent(key), Buffer.from(key).toString('base64')];
    return Object.entries(written).flatMap(([name, text]) =>
      forms.some((form) => text.includes(form)) ? [name] : [],
    );
  }

  /** Every ConfigMap of the namespace, with the record unpacked. */
  async function configMaps(): Promise<string> {
    const list = await kubectlJson<{ items: { binaryData?: { manifests?: string } }[] }>(
      '-n',
      namespace,
      'get',
      'configmaps',
    );
    const packed = list.items.flatMap(({ binaryData }) => binaryData?.manifests ?? []);
    return [
      JSON.stringify(list),
      ...packed.map((one) => gunzipSync(Buffer.from(one, 'base64')).toString()),
    ].join('\n');
  }

  it('was in a ConfigMap', async () => {
    const outcome = succeeded(await deploy({ ...inputs, tls: 'false', 'post-render': before }));
    expect(traces(outcome)).toEqual([]);
    expect((await configMaps()).split(key).length - 1).toBe(2);
    running = await configuration();
  });

  it('moves into a Secret, and agents run with what they ran with', async () => {
    const outcome = succeeded(await deploy(inputs));
    expect(traces(outcome)).toEqual([]);
    expect(told(outcome, 'created')).toEqual(['Secret/consul-server-config']);
    expect(told(outcome, 'changed').sort()).toEqual([
      'ConfigMap/consul-server-config',
      'StatefulSet/consul-server',
    ]);
    // An agent that starts again before its pod is replaced still finds it.
    const writes = outcome.log
      .split('\n')
      .flatMap((line) => /change ((?:StatefulSet|ConfigMap)\/.*)$/.exec(line)?.[1] ?? []);
    expect([...new Set(writes)]).toEqual(['StatefulSet/consul-server', 'ConfigMap/consul-server-config']);
    expect(await configMaps()).not.toContain(key);
    expect(await configuration()).toBe(running);
    const [server] = await pods(namespace, 'server');
    const [ring] = await consul<{ Keys: Record<string, number> }[]>(
      server?.status.podIP ?? '',
      '/v1/operator/keyring',
    );
    expect(Object.keys(ring?.Keys ?? {})).toEqual([key]);
  });

  it('stays there, and a change of it is drift that is not shown', async () => {
    const again = succeeded(await deploy(inputs));
    expect(again.outputs.changed).toBe('false');
    const fine = succeeded(await deploy({ namespace, mode: 'verify' }));
    expect([...traces(again), ...traces(fine)]).toEqual([]);
    const data = {
      '20-override.json': Buffer.from(inputs['server-config'].replace('DEBUG', 'WARN')).toString('base64'),
    };
    const patch = JSON.stringify({ data });
    await kubectl('-n', namespace, 'patch', 'secret', 'consul-server-config', '-p', patch);
    const outcome = await deploy({ namespace, mode: 'verify' });
    expect(outcome.outputs, outcome.log).toMatchObject({ result: 'failure', 'failure-reason': 'drift' });
    expect(outcome.report?.drift).toMatchObject([
      {
        kind: 'Secret',
        what: 'changed',
        fields: [{ path: '.data', after: '(hidden, changed)' }],
        by: 'kubectl-patch',
      },
    ]);
    expect(traces(outcome)).toEqual([]);
  });

  it('goes with the cluster', async () => {
    succeeded(await deploy({ namespace, mode: 'destroy', confirm: 'consul' }));
    expect(await kubectl('-n', namespace, 'get', 'secrets', '-o', 'name')).toBe('');
  });
});
