import { afterAll, describe, expect, it } from 'vitest';
import { raftViews } from '../consul/consul.ts';
import {
  eventually,
  isReady,
  kubectlJson,
  namespaceName,
  pods,
  removeNamespace,
  signalAgent,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy, type Outcome } from '../run/action.ts';
import { expectRed, SERVERS } from '../run/scenario.ts';

/** Everything a refused deploy might have touched: objects, claims, and pods by their uid. */
async function state(namespace: string) {
  const { items } = await kubectlJson<{ items: { metadata: { name: string; resourceVersion: string } }[] }>(
    '-n',
    namespace,
    'get',
    'persistentvolumeclaims',
  );
  return {
    objects: await versions(namespace),
    claims: items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`),
    pods: (await pods(namespace)).map(({ metadata }) => metadata.uid).sort(),
  };
}

describe('a deploy that would do harm to three servers with volumes', () => {
  const namespace = namespaceName('consent');
  const retention = {
    op: 'add',
    path: '/spec/persistentVolumeClaimRetentionPolicy',
    value: { whenScaled: 'Delete', whenDeleted: 'Retain' },
  };
  const inputs = {
    namespace,
    clients: 'none',
    'server-storage': '1Gi',
    'stable-for': '0s',
    timeout: '4m',
    patches: JSON.stringify([{ target: SERVERS, operations: [retention] }]),
  };
  const CONSENT = { 'allow-data-loss': 'StatefulSet/consul-server' };
  let before: Awaited<ReturnType<typeof state>> = { objects: {}, claims: [], pods: [] };
  afterAll(() => removeNamespace(namespace));

  async function expectRefused(outcome: Outcome, reason: string): Promise<string> {
    expectRed(outcome, reason);
    expect(outcome.outputs.changed).toBe('false');
    expect(outcome.report?.left).toBe('Nothing was changed.');
    expect(await state(namespace)).toEqual(before);
    return outcome.report?.failure?.hint ?? '';
  }

  it('is refused where it loses data, with the consent it would need, and writes nothing', async () => {
    const first = await deploy(inputs);
    expect(first.code, first.log).toBe(0);
    before = await state(namespace);
    const refused = await deploy({ ...inputs, servers: '1' });
    expect(await expectRefused(refused, 'data-loss')).toContain('allow-data-loss: StatefulSet/consul-server');
    expect(refused.report?.failure?.details).toEqual([
      'StatefulSet/consul-server: volume claims of the pods that go are deleted (whenScaled: Delete)',
    ]);
  });

  it('is refused although its plan was approved', async () => {
    const plan = await deploy({ ...inputs, servers: '1', mode: 'plan' });
    expect(plan.code, plan.log).toBe(0);
    expect(plan.report?.warnings).toContainEqual(expect.stringContaining('allow-data-loss: StatefulSet/'));
    const approved = plan.outputs['plan-digest'] ?? '';
    await expectRefused(await deploy({ ...inputs, servers: '1', 'expect-plan': approved }), 'data-loss');
  });

  it('is refused with consent where no server could lead while servers leave', async () => {
    await signalAgent(namespace, 'consul-server-0', 'STOP');
    const refused = await deploy({ ...inputs, servers: '1', ...CONSENT });
    await signalAgent(namespace, 'consul-server-0', 'CONT');
    expectRed(refused, 'quorum');
    expect(refused.report?.left).toBe('Nothing was changed.');
    expect(refused.report?.failure?.hint).toContain('until then keep `servers: 3`');
    expect(refused.report?.failure?.what).toMatch(/1 of 2 voters alive, since consul-server-0 .*is down/);
    for (const { servers } of await raftViews(namespace)) {
      expect(servers.filter(({ Voter }) => Voter)).toHaveLength(3);
    }
    // The readiness of the server that was frozen has come and gone.
    const { objects: _, ...claimsAndPods } = await state(namespace);
    expect(before).toMatchObject(claimsAndPods);
    await eventually('all ready again', 60_000, async () =>
      (await pods(namespace)).every(isReady) ? true : undefined,
    );
    before = await state(namespace);
  });

  it('is refused where volumes cannot grow, and where they would shrink', async () => {
    const bigger = await deploy({ ...inputs, 'server-storage': '2Gi' });
    expect(await expectRefused(bigger, 'immutable-field')).toContain('allowVolumeExpansion: true');
    expect(bigger.report?.failure?.where).toBe('PersistentVolumeClaim/data-consul-server-0');
    expect(bigger.report?.failure?.what).toContain('the volume cannot grow from 1Gi to 2Gi');
    const smaller = await deploy({ ...inputs, 'server-storage': '512Mi' });
    await expectRefused(smaller, 'immutable-field');
    expect(smaller.report?.failure?.what).toBe('a volume of 1Gi cannot shrink to 512Mi');
  });
});
