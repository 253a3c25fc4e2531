import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { havePreviousConsul } from '../bed/bed.ts';
import { consul } from '../consul/consul.ts';
import { isReady, kubectl, namespaceName, type Pod, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { applyRbac, kubeconfigOf, rbac, removeRbac } from '../permissions/rbac.ts';
import { check, deploy, killedAt } from '../run/action.ts';
import { address, expectRed, LIVING } from '../run/scenario.ts';
import { underTraffic } from '../traffic/traffic.ts';
import {
  consequences,
  expectUnnoticed,
  handOvers,
  heldService,
  leadership,
  register,
  restartedIn,
} from './observed.ts';

const [OLD, NEW] = ['hashicorp/consul:1.22.2', 'hashicorp/consul:1.22.7'];
const SERVERS = [0, 1, 2].map((ordinal) => `consul-server-${ordinal}`);

describe('the image changes from 1.22.2 to 1.22.7 and back, while an application writes, reads and asks DNS', () => {
  const namespace = namespaceName('image');
  const given = { ...LIVING, namespace };

  beforeAll(async () => {
    await havePreviousConsul();
    const outcome = await deploy({ ...given, image: OLD });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs['consul-version']).toBe('1.22.2');
  });
  afterAll(() => removeNamespace(namespace));

  it('a plan without the permission says that pods are replaced, and which permission is missing', async () => {
    const roles = rbac('docs/rbac.yaml', namespace);
    await applyRbac(roles);
    const token = (await kubectl('-n', namespace, 'create', 'token', 'consul-deploy')).trim();
    const inputs = {
      ...given,
      mode: 'plan',
      image: NEW,
      'create-namespace': 'false',
      kubeconfig: await kubeconfigOf(namespace, token),
    };
    const outcome = await deploy(inputs, { KUBECONFIG: '/nonexistent' });
    await removeRbac(roles);
    expect(outcome.code, outcome.log).toBe(0);
    expect(consequences(outcome)).toEqual({
      'StatefulSet/consul-client': 'rolls-pods',
      'StatefulSet/consul-server': 'rolls-pods',
    });
    const notes = outcome.report?.plan?.flatMap((change) => change.notes) ?? [];
    expect(notes.join('\n')).toMatch(/its pods are replaced, .* not allowed to .*patch pods/);
  });

  it('every agent starts again with it in its pod, one server at a time, as planned, and nothing is lost', async () => {
    const before = [await running(namespace), await leadership(namespace)] as const;
    const service = { Name: 'held', Check: { TTL: '10m', Status: 'passing' } };
    await register(await address(namespace, 'consul-client-0'), service);
    const plan = await deploy({ ...given, mode: 'plan', image: NEW });
    expect(consequences(plan)).toEqual({
      'StatefulSet/consul-client': 'restarts',
      'StatefulSet/consul-server': 'restarts',
    });
    const inputs = { ...given, image: NEW, 'expect-plan': plan.outputs['plan-digest'] ?? '' };
    const { value, traffic } = await underTraffic({ namespace, prefix: 'image' }, () => deploy(inputs));
    expect(value.code, value.log).toBe(0);
    expect(value.outputs).toMatchObject({ 'consul-version': '1.22.7', voters: '3', 'clients-ready': '2' });
    await expectUnnoticed(traffic);
    const after = await running(namespace);
    expect(after).toEqual(before[0].map((one) => ({ ...one, starts: one.starts + 1, version: '1.22.7' })));
    expect(handOvers(value)[0]?.from, value.log).toBe(before[1].leader);
    expect(handOvers(value).length, value.log).toBeLessThan(3);
    expect(restartedIn(value)).toEqual([...SERVERS.toReversed(), 'consul-client-1', 'consul-client-0']);
    expect(await heldService(namespace)).toBe('passing');
    expect(check(value, 'servers-image').observed).toBe('3 servers');
    expect(check(value, 'clients-image').observed).toBe('2 clients');
    const again = await deploy({ ...given, image: NEW });
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
  });

  it('one that cannot be had is red at the first server, and the next deploy repairs it', async () => {
    const path = '/spec/template/spec/containers/0/image';
    const operations = [{ op: 'replace', path, value: 'No/Name/Of/An/Image' }];
    const patches = JSON.stringify([{ target: { kind: 'StatefulSet', name: 'consul-server' }, operations }]);
    const refused = await deploy({ ...given, image: NEW, patches });
    expectRed(refused, 'image');
    expect(refused.report?.failure?.where).toBe('Pod/consul-server-2');
    expect(refused.report?.left).toContain('0 of 3 servers run with the new image; the others run as before');
    const ready = (await pods(namespace, 'server')).filter(isReady);
    expect(ready).toHaveLength(2);
    const { term } = await leadership(namespace);
    const repaired = await deploy({ ...given, image: NEW });
    expect(repaired.code, repaired.log).toBe(0);
    expect(repaired.outputs).toMatchObject({ 'consul-version': '1.22.7', voters: '3', 'clients-ready': '2' });
    expect((await leadership(namespace)).term).toBeGreaterThanOrEqual(term);
    expect(await heldService(namespace)).toBe('passing');
  });

  it('a deploy is killed in the middle, and the next one finishes it', async () => {
    const { value, traffic } = await underTraffic({ namespace, prefix: 'killed' }, async () => {
      const killed = await killedAt({ ...given, image: OLD }, 'was restarted in');
      expect(killed.code).not.toBe(0);
      expect((await running(namespace)).filter(({ version }) => version === '1.22.7')).not.toEqual([]);
      return deploy({ ...given, image: OLD });
    });
    expect(value.code, value.log).toBe(0);
    await expectUnnoticed(traffic);
    expect((await running(namespace)).map(({ version }) => version)).toEqual(Array(5).fill('1.22.2'));
    expect(await heldService(namespace)).toBe('passing');
  });
});

interface Running {
  pod: string;
  uid: string;
  starts: number;
  version: string;
}

/** By their names, with the version that each agent says itself. */
async function running(namespace: string): Promise<Running[]> {
  const found = await pods(namespace);
  const told = found.map(async ({ metadata, status }: Pod) => {
    const self = await consul<{ Config: { Version: string } }>(status.podIP ?? '', '/v1/agent/self');
    const starts = status.containerStatuses?.[0]?.restartCount ?? 0;
    return { pod: metadata.name, uid: metadata.uid, starts, version: self.Config.Version };
  });
  return (await Promise.all(told)).toSorted((a, b) => a.pod.localeCompare(b.pod));
}
