import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drift } from '../../../src/report/result/change.ts';
import type { Result } from '../../../src/report/result.ts';
import { pack, runCommand } from '../../cli/packed.ts';
import { consul, keys, services } from '../consul/consul.ts';
import {
  eventually,
  kubectl,
  kubectlApply,
  kubectlFed,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { applyRbac, kubeconfigOf, rbac, removeRbac } from '../permissions/rbac.ts';
import { check, deploy, type Outcome } from '../run/action.ts';
import { SMALL } from '../run/scenario.ts';

/** An annotation and files that can be changed and taken away without an agent noticing. */
const EXTRAS = {
  target: { kind: 'ConfigMap', name: 'consul-client-config' },
  merge: {
    metadata: { annotations: { 'example.com/owner': 'platform' } },
    data: { '30-extra.json': '{}', '40-extra.json': '{}' },
  },
};

interface ConfigMap {
  data: Record<string, string>;
}

describe('a cluster that was deployed, verified by its record alone', () => {
  const namespace = namespaceName('verify');
  const verify = (inputs: Record<string, string> = {}) =>
    deploy({ mode: 'verify', namespace, timeout: '3m', 'stable-for': '2s', ...inputs });
  const k = (...args: string[]) => kubectl('-n', namespace, ...args);
  const patch = (object: string, change: object, ...args: string[]) =>
    k('patch', object, '-p', JSON.stringify(change), ...args);
  let deployed: Outcome;
  let digest: string | undefined;

  beforeAll(async () => {
    // With volumes, so that there is something to measure.
    const { 'server-storage': _, ...small } = SMALL;
    deployed = await deploy({ ...small, namespace, datacenter: 'night', patches: JSON.stringify([EXTRAS]) });
    expect(deployed.code, deployed.log).toBe(0);
    digest = deployed.outputs['manifest-digest'];
  });
  afterAll(() => removeNamespace(namespace));

  it('is green, with all the evidence of a deploy, and changes nothing', async () => {
    const before = await versions(namespace);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();
    const outcome = await verify();
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({
      result: 'success',
      changed: 'false',
      voters: '3',
      'clients-ready': '2',
      'clients-desired': '2',
      image: deployed.outputs.image,
      leader: deployed.outputs.leader,
      'manifest-digest': digest,
    });
    expect(outcome.summary).toContain('Consul works and is as deployed: 3 voters, 2 clients');
    expect(outcome.report?.drift).toEqual([]);
    const statuses = outcome.report?.checks.map(({ id, status }) => [id, status]);
    const evidence = deployed.report?.checks.filter(({ group }) => group !== 'cluster').map(({ id }) => id);
    for (const id of evidence ?? []) expect(statuses).toContainEqual([id, 'passed']);
    for (const id of ['objects', 'fields', 'unexpected', 'deploy']) {
      expect(statuses).toContainEqual([`drift-${id}`, 'passed']);
    }
    for (const id of ['restarts', 'leader-since', 'members-left-over']) {
      expect(statuses).toContainEqual([id, 'passed']);
    }
    expect(check(outcome, 'quorum-datacenter').observed).toContain('night');

    expect(await versions(namespace)).toEqual(before);
    expect((await pods(namespace)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids);
    const [server] = await pods(namespace, 'server');
    expect(await keys(server?.status.podIP ?? '', 'consul-deploy/')).toEqual([]);
    expect(await services(server?.status.podIP ?? '')).toEqual(['consul']);
  });

  it('is green by the command as well, from its package, with the same evidence in its report', async () => {
    const { bin, remove } = await pack();
    const inputs = ['--namespace', namespace, '--timeout=3m', '--stable-for=2s'];
    const env = { KUBECONFIG: resolve(process.env.KUBECONFIG ?? '') };
    const outcome = await runCommand(bin, ['verify', ...inputs, '--json', '--outputs=o.env'], { env });
    await remove();
    expect(outcome.code, outcome.stderr).toBe(0);
    const report = JSON.parse(outcome.stdout) as Result;
    expect(report).toMatchObject({ mode: 'verify', result: 'success', changed: false, voters: 3, drift: [] });
    expect(report.manifestDigest).toBe(digest);
    const passed = report.checks.filter(({ status }) => status === 'passed').map(({ id }) => id);
    const evidence = deployed.report?.checks.filter(({ group }) => group !== 'cluster').map(({ id }) => id);
    expect(passed).toEqual(expect.arrayContaining(evidence ?? []));
    expect(outcome.stderr).toContain('✓ Consul works and is as deployed: 3 voters, 2 clients');
    expect(outcome.stderr).not.toMatch(/^::/m);
    expect(outcome.read('o.env')).toContain('CONSUL_OUTPUT_VOTERS=3\n');
  });

  describe('and was then changed by hand', () => {
    let reported: Outcome;

    beforeAll(async () => {
      await k('scale', 'statefulset/consul-client', '--replicas=1');
      // The same image by another name; its one client is replaced.
      await k('set', 'image', 'statefulset/consul-client', 'consul=docker.io/hashicorp/consul:1.22.7');
      await k('label', 'service/consul-ui', 'app.kubernetes.io/name-');
      await k('label', 'serviceaccount/consul-client', 'consul-role=other', '--overwrite');
      await k('annotate', 'configmap/consul-client-config', 'example.com/owner=me', '--overwrite');
      const { data } = await kubectlJson<ConfigMap>('-n', namespace, 'get', 'configmap/consul-server-config');
      const agent = { ...JSON.parse(data['10-agent.json'] ?? '{}'), log_level: 'DEBUG' };
      await patch('configmap/consul-server-config', {
        data: { '10-agent.json': JSON.stringify(agent, null, 2) },
      });
      await patch(
        'configmap/consul-client-config',
        [{ op: 'remove', path: '/data/30-extra.json' }],
        '--type=json',
      );
      await patch(
        'service/consul-ui',
        [{ op: 'replace', path: '/spec/ports/0/port', value: 8080 }],
        '--type=json',
      );
      await patch('service/consul-client', { spec: { selector: { 'consul-role': 'nobody' } } });
      await k('delete', 'service/consul-server');
      await patch('poddisruptionbudget/consul-server', { spec: { maxUnavailable: 2 } }, '--type=merge');
      await patch('serviceaccount/consul-server', { automountServiceAccountToken: true });
      await kubectlFed(
        await k('get', 'service/consul-server-1', '-o', 'json'),
        'replace',
        '--force',
        '-f',
        '-',
      );
      await kubectlApply(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name: 'consul-by-hand',
            namespace,
            labels: {
              'app.kubernetes.io/instance': 'consul',
              'app.kubernetes.io/managed-by': 'consul-deploy',
            },
          },
        }),
      );
      // A node that nobody ever was, as a tool leaves it that forgets to deregister.
      const [asked] = await pods(namespace, 'server');
      const ghost = { Datacenter: 'night', Node: 'ghost', Address: '192.0.2.1' };
      await consul(asked?.status.podIP ?? '', '/v1/catalog/register', {
        method: 'PUT',
        body: JSON.stringify(ghost),
      });
      // What nobody deployed may be added.
      await k('annotate', 'service/consul-server-0', 'example.com/team=x');
      await patch('configmap/consul-server-config', { data: { 'note.txt': 'mine' } });

      const client = await eventually('the new client runs', 60_000, async () => {
        const [one, ...more] = await pods(namespace, 'client');
        const status = one?.status.containerStatuses?.[0];
        return more.length === 0 && one && (await isNew(one.metadata.name)) && status?.restartCount === 0
          ? one.metadata.name
          : undefined;
      });
      await k('exec', client, '--', 'sh', '-c', 'kill 1');
      await eventually('it has restarted', 60_000, async () => {
        const [one] = await pods(namespace, 'client');
        return one?.status.containerStatuses?.[0]?.restartCount === 1 || undefined;
      });
      // The kubelet measures them once a minute.
      await eventually('the volumes are measured', 90_000, async () => {
        const [server] = await pods(namespace, 'server');
        const { pods: measured } = JSON.parse(
          await kubectl('get', '--raw', `/api/v1/nodes/${server?.spec.nodeName}/proxy/stats/summary`),
        ) as { pods: { volume?: { pvcRef?: { namespace: string } }[] }[] };
        const claims = measured.flatMap(({ volume = [] }) => volume.flatMap(({ pvcRef }) => pvcRef ?? []));
        return claims.some((claim) => claim.namespace === namespace) || undefined;
      });
      reported = await verify({ 'on-drift': 'report' });
    });

    it('is green where drift is only reported', () => {
      expect(reported.code, reported.log).toBe(0);
      expect(reported.outputs).toMatchObject({ result: 'success', 'failure-reason': '', changed: 'false' });
      expect(reported.summary).toMatch(/Consul works, but \d+ objects are not as deployed/);
    });

    it.each<[string, Partial<Drift>, string?]>([
      [
        'replicas scaled',
        { kind: 'StatefulSet', name: 'consul-client', by: 'kubectl (scale)' },
        '.spec.replicas',
      ],
      [
        'image set',
        { kind: 'StatefulSet', name: 'consul-client', by: 'kubectl-set' },
        '.spec.template.spec.containers[name="consul"].image',
      ],
      ['label removed', { kind: 'Service', name: 'consul-ui' }, '.metadata.labels.app.kubernetes.io/name'],
      [
        'label changed',
        { kind: 'ServiceAccount', name: 'consul-client', by: 'kubectl-label' },
        '.metadata.labels.consul-role',
      ],
      [
        'annotation changed',
        { kind: 'ConfigMap', name: 'consul-client-config', by: 'kubectl-annotate' },
        '.metadata.annotations.example.com/owner',
      ],
      [
        'configuration changed',
        { kind: 'ConfigMap', name: 'consul-server-config', by: 'kubectl-patch' },
        '.data.10-agent.json',
      ],
      [
        'key of a ConfigMap removed',
        { kind: 'ConfigMap', name: 'consul-client-config' },
        '.data.30-extra.json',
      ],
      ['port changed', { kind: 'Service', name: 'consul-ui' }, '.spec.ports[port=80,protocol="TCP"]'],
      ['selector changed', { kind: 'Service', name: 'consul-client', by: 'kubectl-patch' }, '.spec.selector'],
      ['Service deleted', { kind: 'Service', name: 'consul-server', what: 'missing' }],
      [
        'disruption budget changed',
        { kind: 'PodDisruptionBudget', name: 'consul-server', by: 'kubectl-patch' },
        '.spec.maxUnavailable',
      ],
      [
        'token mounted',
        { kind: 'ServiceAccount', name: 'consul-server', by: 'kubectl-patch' },
        '.automountServiceAccountToken',
      ],
      ['object replaced', { kind: 'Service', name: 'consul-server-1', what: 'replaced' }],
      [
        'object made by hand',
        { kind: 'ConfigMap', name: 'consul-by-hand', what: 'unexpected', by: 'kubectl-client-side-apply' },
      ],
    ])('%s: is found and named', (_, expected, path) => {
      const all = reported.report?.drift ?? [];
      const found = all.filter(
        ({ kind, name, fields }) =>
          kind === expected.kind &&
          name === expected.name &&
          (path === undefined || fields.some((field) => field.path === path)),
      );
      expect(found, JSON.stringify(all, null, 1)).toMatchObject([{ what: 'changed', ...expected }]);
      // The API server notes no time for a subresource, and no owner for what was taken away.
      if (expected.by?.startsWith('kubectl-')) {
        expect(Date.now() - Date.parse(found[0]?.at ?? '')).toBeLessThan(600_000);
      }
      expect(reported.summary).toContain(`${expected.kind}/${expected.name}`);
    });

    it('does not take for drift what was added by hand', () => {
      const paths = (reported.report?.drift ?? []).flatMap(({ fields }) => fields.map(({ path }) => path));
      expect(paths.filter((path) => /team|note\.txt/.test(path))).toEqual([]);
      const server = (reported.report?.drift ?? []).filter(({ name }) => name === 'consul-server');
      expect(server.map(({ kind }) => kind).sort()).toEqual([
        'PodDisruptionBudget',
        'Service',
        'ServiceAccount',
      ]);
      expect((reported.report?.drift ?? []).filter(({ name }) => name === 'consul-server-0')).toEqual([]);
    });

    it('says how full the volumes are', () => {
      expect(check(reported, 'servers-volumes').observed).toMatch(/^data-consul-server-\d \d+ %/);
    });

    it('names a node of the catalog that is no member', () => {
      expect(check(reported, 'members-left-over')).toMatchObject({
        status: 'warning',
        observed: expect.stringContaining('in the catalog alone: ghost'),
      });
    });

    it('counts the restart of a container since the run before', () => {
      expect(check(reported, 'restarts')).toMatchObject({
        status: 'warning',
        observed: expect.stringMatching(/consul-client-0 restarted once/),
      });
    });

    it('finds the same with rights that change nothing, and can still add to the record', async () => {
      const objects = rbac('docs/rbac-verify.yaml', namespace);
      try {
        await applyRbac(objects);
        const token = (await k('create', 'token', 'consul-verify')).trim();
        const kubeconfig = await kubeconfigOf(namespace, token);
        const outcome = await verify({ 'on-drift': 'report', kubeconfig });
        expect(outcome.code, outcome.log).toBe(0);
        const names = ({ report }: Outcome) =>
          [...new Set(report?.drift?.map(({ kind, name, what }) => `${kind}/${name} ${what}`))].sort();
        expect(names(outcome)).toEqual(names(reported));
        expect(outcome.report?.left).toContain('the record has one run more');
        // Nothing has restarted since the run just before.
        expect(check(outcome, 'restarts').status).toBe('passed');
      } finally {
        await removeRbac(objects);
      }
    });

    it('is red for drift by default, after all the evidence', async () => {
      const outcome = await verify();
      expect(outcome.code, outcome.log).toBe(1);
      expect(outcome.outputs).toMatchObject({
        result: 'failure',
        'failure-reason': 'drift',
        changed: 'false',
      });
      expect(outcome.summary).toContain('Consul is not as it was deployed');
      expect(check(outcome, 'smoke-kv').status).toBe('passed');
      expect(check(outcome, 'drift-fields').status).toBe('failed');
      expect(outcome.report?.failure?.details).toContainEqual(
        expect.stringMatching(
          /^StatefulSet\/consul-client \.spec\.replicas: deployed 2, live 1, changed by "kubectl \(scale\)"/,
        ),
      );
    });

    it('says first that Consul is broken where it is, and shows the drift beside it', async () => {
      await k('scale', 'statefulset/consul-server', '--replicas=1');
      const outcome = await verify({ 'on-drift': 'report' });
      expect(outcome.code, outcome.log).toBe(1);
      expect(outcome.outputs).toMatchObject({ result: 'failure', 'failure-reason': 'quorum' });
      expect(outcome.report?.failure).toMatchObject({
        what: 'StatefulSet/consul-server asks for 1 server, and 3 were deployed',
        where: 'StatefulSet/consul-server',
      });
      expect(outcome.report?.failure?.details).toContainEqual(
        expect.stringContaining('StatefulSet/consul-server .spec.replicas: deployed 3, live 1'),
      );
    });
  });

  async function isNew(pod: string): Promise<boolean> {
    const { spec, status } = await kubectlJson<{
      spec: { containers: { image: string }[] };
      status: { containerStatuses?: { ready: boolean }[] };
    }>('-n', namespace, 'get', `pod/${pod}`);
    return (
      (spec.containers[0]?.image.startsWith('docker.io/') && status.containerStatuses?.[0]?.ready) ?? false
    );
  }
});
