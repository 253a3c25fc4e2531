import { afterAll, describe, expect, it } from 'vitest';
import type { PlannedChange } from '../../../src/report/result/change.ts';
import {
  eventually,
  kubectl,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy, type Outcome } from '../run/action.ts';
import { CLIENTS, expectRed, replaced, SERVERS, SMALL } from '../run/scenario.ts';

const KINDS =
  'serviceaccounts,configmaps,secrets,services,poddisruptionbudgets,statefulsets,daemonsets,leases,persistentvolumeclaims';

/** `kind/name` -> uid and resourceVersion of all that any run may write, the lock and the record too. */
async function everything(namespace: string): Promise<Record<string, string>> {
  const { items } = await kubectlJson<{
    items: { kind: string; metadata: { name: string; uid: string; resourceVersion: string } }[];
  }>('-n', namespace, 'get', KINDS);
  return Object.fromEntries(
    items.map(({ kind, metadata }) => [
      `${kind}/${metadata.name}`,
      `${metadata.uid} ${metadata.resourceVersion}`,
    ]),
  );
}

/** Controllers have written the last status: nothing moves by itself for two seconds. */
async function quiet(namespace: string): Promise<Record<string, string>> {
  let before = '';
  return eventually('nothing moves', 30_000, async () => {
    const first = await everything(namespace);
    const text = JSON.stringify(first);
    if (text === before) return first;
    before = text;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    return undefined;
  });
}

function change({ report, log }: Outcome, object: string): PlannedChange {
  const found = report?.plan?.find(({ kind, name }) => `${kind}/${name}` === object);
  if (!found) throw new Error(`${object} is not in the plan:\n${log}`);
  return found;
}

/** What is not left as it is. */
function changed({ report }: Outcome): string[] {
  return (report?.plan ?? [])
    .filter(({ consequence }) => consequence !== 'none')
    .map(({ kind, name, consequence }) => `${consequence} ${kind}/${name}`)
    .sort();
}

describe('a plan, and a deploy that is held to it', () => {
  const namespace = namespaceName('plan');
  const inputs = { ...SMALL, namespace, 'stable-for': '0s' };
  const plan = (more: Record<string, string> = {}) => deploy({ ...inputs, mode: 'plan', ...more });
  /** Of the cluster as it runs. */
  let digest = '';
  afterAll(() => removeNamespace(namespace));

  it('creates everything in a fresh namespace, of which nothing is there afterwards', async () => {
    const fresh = await plan();
    expect(fresh.code, fresh.log).toBe(0);
    expect(fresh.outputs).toMatchObject({ result: 'success', 'failure-reason': '', changed: 'true' });
    expect(new Set(fresh.report?.plan?.map(({ consequence }) => consequence))).toEqual(new Set(['create']));
    expect(await kubectl('get', 'namespace', namespace, '--ignore-not-found')).toBe('');
    digest = fresh.outputs['plan-digest'] ?? '';
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('refuses any other plan before it makes even the namespace', async () => {
    const refused = await deploy({ ...inputs, 'expect-plan': digest, datacenter: 'dc2' });
    expectRed(refused, 'plan-changed');
    expect(await kubectl('get', 'namespace', namespace, '--ignore-not-found')).toBe('');
  });

  it('is what the deploy then does', async () => {
    const done = await deploy({ ...inputs, 'expect-plan': digest });
    expect(done.code, done.log).toBe(0);
    expect(done.outputs).toMatchObject({ result: 'success', 'plan-digest': digest });
    expect(done.report?.plan?.length).toBeGreaterThan(10);
  });

  it('has nothing to change then, says so twice alike, and writes nothing', async () => {
    const before = await quiet(namespace);
    const outcomes = [await plan(), await plan()];
    for (const { code, log, outputs, summary } of outcomes) {
      expect(code, log).toBe(0);
      expect(outputs).toMatchObject({ result: 'success', changed: 'false' });
      expect(summary).toContain('Plan: nothing to change');
    }
    const digests = new Set(outcomes.map(({ outputs }) => outputs['plan-digest']));
    expect([...digests]).toHaveLength(1);
    expect(Object.keys(before)).toEqual(
      expect.arrayContaining([`Lease/consul-deploy-consul`, `ConfigMap/consul-deploy-consul`]),
    );
    expect(await everything(namespace)).toEqual(before);
    digest = outcomes[0]?.outputs['plan-digest'] ?? '';
  });

  it('tells what would become of encryption, which no object shows, and is another plan with it', async () => {
    const back = await plan({ 'gossip-encryption': 'false' });
    expect(back.code, back.log).toBe(0);
    expect(back.report?.encryptionSteps).toEqual(['gossip: strict → off']);
    expect(back.summary).toContain('Plan: gossip: strict → off');
    expect(back.outputs.changed).toBe('true');
    expect(back.outputs['plan-digest']).not.toBe(digest);
    const refused = await deploy({ ...inputs, 'gossip-encryption': 'false', 'expect-plan': digest });
    expectRed(refused, 'plan-changed');
    expect(refused.report?.failure?.details).toContain('would do now: gossip: strict → off');
  });

  it('tells by consequence what other inputs would do', async () => {
    const before = await quiet(namespace);
    const patched = await plan({
      patches: JSON.stringify([
        {
          target: { kind: 'ServiceAccount', name: 'consul-server' },
          merge: { metadata: { labels: { team: 'a' } } },
        },
        {
          target: { kind: 'Service', name: 'consul-ui' },
          merge: { metadata: { annotations: { 'a.example/b': 'c' } } },
        },
        {
          target: { kind: 'Service', name: 'consul-client' },
          operations: [
            { op: 'add', path: '/spec/ports/-', value: { name: 'grpc', port: 8502, protocol: 'TCP' } },
          ],
        },
      ]),
    });
    expect(patched.code, patched.log).toBe(0);
    expect(changed(patched)).toEqual([
      'in-place Service/consul-client',
      'in-place Service/consul-ui',
      'metadata ServiceAccount/consul-server',
    ]);
    expect(change(patched, 'Service/consul-client').fields).toEqual([
      {
        path: '.spec.ports[port=8502,protocol="TCP"]',
        after: '{"name":"grpc","port":8502,"protocol":"TCP"}',
      },
    ]);
    expect(change(patched, 'ServiceAccount/consul-server').fields).toEqual([
      { path: '.metadata.labels.team', after: '"a"' },
    ]);

    const same = await plan({
      'server-resources': '{"requests": {"memory": "262144Ki", "cpu": "0.1"}, "limits": {"memory": "0.5Gi"}}',
      patches: JSON.stringify([
        {
          target: { kind: 'Service', name: 'consul-client' },
          operations: [{ op: 'move', from: '/spec/ports/0', path: '/spec/ports/4' }],
        },
      ]),
    });
    expect(same.code, same.log).toBe(0);
    expect(same.report?.plan?.flatMap(({ fields }) => fields)).toEqual([]);
    expect(changed(same).filter((one) => one !== 'metadata Service/consul-client')).toEqual([]);

    const image = 'hashicorp/consul:0.0.0-none';
    const settings = { image, 'client-config': '{"log_level": "debug"}' };
    const stays = await plan(settings);
    expect(stays.code, stays.log).toBe(0);
    expect(changed(stays)).toEqual([
      'reloads ConfigMap/consul-client-config',
      'restarts StatefulSet/consul-client',
      'restarts StatefulSet/consul-server',
    ]);
    expect(change(stays, 'StatefulSet/consul-server').pods).toBeUndefined();
    const rolled = await plan({ ...settings, ...replaced('once', SERVERS, CLIENTS) });
    expect(rolled.code, rolled.log).toBe(0);
    expect(changed(rolled)).toEqual([
      'in-place ConfigMap/consul-client-config',
      'rolls-pods StatefulSet/consul-client',
      'rolls-pods StatefulSet/consul-server',
    ]);
    const servers = change(rolled, 'StatefulSet/consul-server');
    expect(servers.pods).toEqual(['consul-server-2', 'consul-server-1', 'consul-server-0']);
    expect(servers.fields).toContainEqual(
      expect.objectContaining({
        path: '.spec.template.spec.containers[name="consul"].image',
        after: `"${image}"`,
      }),
    );
    expect(change(rolled, 'StatefulSet/consul-client').pods).toEqual(['consul-client-1', 'consul-client-0']);
    expect(change(rolled, 'ConfigMap/consul-client-config').notes).toEqual([
      'read by the pods of StatefulSet/consul-client',
    ]);
    expect(rolled.summary).toContain('rolls 3 server pods and 2 client pods');

    const scaled = await plan({ 'client-replicas': '1' });
    expect(changed(scaled)).toEqual(['delete StatefulSet/consul-client']);
    expect(change(scaled, 'StatefulSet/consul-client').notes).toContain('removes 1 pod: consul-client-1');
    expect(await everything(namespace)).toEqual(before);
  });

  it('is another one once somebody changes the cluster by hand, and then nothing is applied', async () => {
    await kubectl('-n', namespace, 'delete', 'service', 'consul-ui');
    await kubectl('-n', namespace, 'annotate', 'configmap', 'consul-server-config', 'example.com/by=hand');
    const { 'Lease/consul-deploy-consul': _before, ...before } = await quiet(namespace);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();
    const refused = await deploy({ ...inputs, 'expect-plan': digest });
    expectRed(refused, 'plan-changed');
    const evidence = refused.report?.failure?.details.join('\n') ?? '';
    expect(evidence).toContain(`approved: ${digest}`);
    expect(evidence).toContain(`now:      ${refused.outputs['plan-digest']}`);
    expect(evidence).toContain('would do now: create: Service/consul-ui');
    expect(evidence).toMatch(/last written: ConfigMap\/consul-server-config by "kubectl-annotate" at 20/);
    expect(refused.outputs.changed).toBe('false');
    const { 'Lease/consul-deploy-consul': _after, ...after } = await everything(namespace);
    expect(after).toEqual(before);
    expect((await pods(namespace)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids);
  });

  it('is another one, too, where somebody has taken a field of ours', async () => {
    const label = (value: string) =>
      kubectl('-n', namespace, 'label', 'configmap', 'consul-client-config', `app=${value}`, '--overwrite');
    await label('mine');
    const before = await versions(namespace);
    const refused = await deploy({ ...inputs, 'expect-plan': digest });
    expectRed(refused, 'plan-changed');
    expect(refused.report?.failure?.details).toEqual([
      `approved: ${digest}`,
      'now:      refused (conflict): a field is owned by another field manager',
      'ConfigMap/consul-client-config .metadata.labels.app: owned by "kubectl-label" (live "mine", wanted "consul")',
    ]);
    expect(await versions(namespace)).toEqual(before);
    await label('consul');
  });

  it('planned again and approved again, goes through; what was added by hand stays', async () => {
    const again = await plan();
    expect(changed(again)).toEqual(['create Service/consul-ui', 'metadata ConfigMap/consul-client-config']);
    expect(change(again, 'ConfigMap/consul-client-config').notes).toContain(
      'only who owns its fields changes',
    );
    const done = await deploy({ ...inputs, 'expect-plan': again.outputs['plan-digest'] ?? '' });
    expect(done.code, done.log).toBe(0);
    const { metadata } = await kubectlJson<{ metadata: { annotations?: Record<string, string> } }>(
      '-n',
      namespace,
      'get',
      'configmap',
      'consul-server-config',
    );
    expect(metadata.annotations).toMatchObject({ 'example.com/by': 'hand' });
  });
});
