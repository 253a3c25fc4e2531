import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { havePreviousConsul } from '../bed/bed.ts';
import { addressesOf, expectKnownAt } from '../change/server-addresses.ts';
import { consul, keys } from '../consul/consul.ts';
import {
  eventually,
  isReady,
  kubectl,
  kubectlApply,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy, type Outcome } from '../run/action.ts';
import { expectRed, expectReplaced } from '../run/scenario.ts';
import { underLoad } from '../traffic/store-load.ts';
import { manifests, startOriginal } from './original.ts';
import {
  addresses,
  expectAllKept,
  expectNewShape,
  expectRegistered,
  inputs,
  register,
  registrations,
} from './takeover.ts';

/** Longer than any election on a loaded machine, and far shorter than a cluster that is recreated. */
const LONGEST_GAP_MS = 15_000;

// What the manifests name.
beforeAll(havePreviousConsul);

describe('the hand-made cluster, taken over by one deploy', () => {
  const namespace = namespaceName('adopt');
  // With volumes, which the old pods do not have and a StatefulSet cannot be given.
  const given = { ...inputs, namespace, 'server-storage': '10Gi' };
  let before: unknown[];
  let planned: Outcome;
  let outcome: Outcome;
  afterAll(() => removeNamespace(namespace));

  it('is planned first: what is recreated, which pods move, in what order; and nothing is written', async () => {
    await startOriginal(namespace);
    const stored = await versions(namespace);
    planned = await deploy({ ...given, mode: 'plan' });
    expect(planned.code, planned.log).toBe(0);
    expect(await versions(namespace)).toEqual(stored);
    const recreated = planned.report?.plan?.filter(({ consequence }) => consequence === 'recreate');
    expect(recreated?.map(({ kind, name, pods }) => [`${kind}/${name}`, pods]).sort()).toEqual([
      ['StatefulSet/consul-client', ['consul-client-0', 'consul-client-1']],
      ['StatefulSet/consul-server', ['consul-server-0', 'consul-server-1', 'consul-server-2']],
    ]);
  });

  it('keeps every write and every registration, and goes without a leader no longer than an election', async () => {
    await register(namespace);
    before = await eventually('the first result of the HTTP check', 20_000, async () => {
      const found = await registrations(namespace);
      return JSON.stringify(found).includes(
        '"Name":"web answers","Notes":"","ServiceID":"web-1","Type":"http","Interval":"1s","Timeout":"9.5s","Status":"passing"',
      )
        ? found
        : undefined;
    });
    const old = (await pods(namespace)).map(({ metadata }) => metadata.uid);
    const { value, load } = await underLoad(namespace, () =>
      deploy({ ...given, 'expect-plan': planned.outputs['plan-digest'] ?? '' }),
    );
    outcome = value;
    console.log(
      `adopt: ${load.written.size} writes acknowledged; longest gap: writes ${Math.round(load.writeGapMs)} ms, reads ${Math.round(load.readGapMs)} ms; ${load.moved} tries at another address; ${outcome.report?.durationMs} ms in all`,
    );
    expect(outcome.code, outcome.log).toBe(0);
    await expectKnownAt(namespace, await addressesOf(namespace, 'service'));
    expect(load.written.size).toBeGreaterThan(300);
    await expectAllKept(namespace, load.written);
    expect(load.writeGapMs).toBeLessThan(LONGEST_GAP_MS);
    expect(load.readGapMs).toBeLessThan(LONGEST_GAP_MS);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid);
    expect(uids.filter((uid) => old.includes(uid))).toEqual([]);
    await expectNewShape(namespace);
  });

  it('holds at the new agents what the old ones held, checks that run among it', async () => {
    await expectRegistered(namespace, before);
    const at = await addresses(namespace);
    expect(await keys(at['consul-server-0'] ?? '', 'consul-deploy/')).toEqual([]);
    // What the new agents' configuration says, and an existing cluster takes only from Raft.
    const autopilot = await consul(at['consul-server-0'] ?? '', '/v1/operator/autopilot/configuration');
    expect(autopilot).toMatchObject({ MinQuorum: 3, CleanupDeadServers: true });
  });

  it('says what it has recreated', () => {
    const recreated = outcome.report?.objects.filter(({ action }) => action === 'recreated');
    expect(recreated?.map(({ kind, name }) => `${kind}/${name}`).sort()).toEqual([
      'StatefulSet/consul-client',
      'StatefulSet/consul-server',
    ]);
  });

  it('shows each move on the timeline and in the log', () => {
    expectReplaced(outcome, [
      ...[0, 1, 2].map((ordinal) => `consul-server-${ordinal}`),
      ...[0, 1].map((ordinal) => `consul-client-${ordinal}`),
    ]);
  });

  it('writes nothing when it is deployed again', async () => {
    const stored = await versions(namespace);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();
    const again = await deploy(given);
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
    const services = (all: Record<string, string>) =>
      Object.entries(all).filter(([name]) => /^(Service|ServiceAccount)\//.test(name));
    expect(services(await versions(namespace))).toEqual(services(stored));
    expect((await pods(namespace)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids);
  });
});

describe('a cluster that cannot be taken over safely', () => {
  const namespace = namespaceName('adopt-refused');
  const given = { ...inputs, namespace, 'server-storage': 'ephemeral' };
  afterAll(() => removeNamespace(namespace));

  async function servers(count: number): Promise<void> {
    await eventually(`${count} servers`, 60_000, async () => {
      const all = await pods(namespace, 'server');
      return all.length === count && all.every(isReady) ? true : undefined;
    });
  }

  it('is refused before the first write, with all that speaks against it', async () => {
    await kubectl('create', 'namespace', namespace);
    // Three of four never elect anybody.
    const [service = '', set = ''] = manifests();
    await kubectlApply(
      `${service}---${set.replace('bootstrap-expect=3', 'bootstrap-expect=4')}`,
      '-n',
      namespace,
    );
    await servers(3);
    const stored = await versions(namespace);
    const uids = (await pods(namespace)).map(({ metadata }) => metadata.uid).sort();

    const refused = await deploy({ ...given, image: 'hashicorp/consul:1.21.0', servers: '1' });
    expectRed(refused, 'adoption');
    const told = refused.report?.failure?.details.join('\n') ?? '';
    expect(told).toMatch(/3 servers run and `servers` is 1/);
    expect(told).toMatch(/Leader: no leader/);
    expect(told).toMatch(/Consul 1\.22\.2 runs there, which is newer than the 1\.21\.0/);
    expect(refused.report?.left).toBe('Nothing was changed.');
    expect(await versions(namespace)).toEqual(stored);
    expect((await pods(namespace)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids);

    await kubectl('-n', namespace, 'delete', 'statefulset', 'consul-server', '--cascade=orphan');
    await kubectl('-n', namespace, 'delete', 'pods', '--all', '--grace-period=0', '--force');
    await kubectlApply(set.replace('replicas: 3', 'replicas: 1'), '-n', namespace);
    await servers(1);
    const single = await deploy({ ...given, servers: '1' });
    expectRed(single, 'adoption');
    expect(single.report?.failure?.what).toMatch(/a single server has no others/);
    expect(single.report?.failure?.hint).toMatch(/snapshot/);
  });
});
