import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GhostReport } from '../../../src/report/result.ts';
import { consul, keys, members } from '../consul/consul.ts';
import { put } from '../consul/registration.ts';
import {
  eventually,
  kubectl,
  namespaceName,
  pods,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { applyRbac, kubeconfigOf, rbac, removeRbac } from '../permissions/rbac.ts';
import { check, deploy, type Outcome } from '../run/action.ts';
import { address, expectRed, SMALL } from '../run/scenario.ts';

/** An address for documentation: no pod has it. */
const NOWHERE = '192.0.2.77';
const FAILED = 4;

describe('a catalog with a ghost of each kind', () => {
  const namespace = namespaceName('sweep');
  const objects = rbac('docs/rbac-sweep.yaml', namespace);
  const k = (...args: string[]) => kubectl('-n', namespace, ...args);
  let server: string;
  let clients: string[];
  let kubeconfig: string;
  let forgotten: Repeated;

  const sweep = (inputs: Record<string, string> = {}) =>
    deploy(
      { mode: 'sweep', namespace, kubeconfig, timeout: '5m', ...inputs },
      { KUBECONFIG: '/nonexistent' },
    );
  const register = (ip: string, service: object) => put(ip, '/v1/agent/service/register', service);
  const enter = (entry: object) => put(server, '/v1/catalog/register', entry);

  beforeAll(async () => {
    const deployed = await deploy({
      ...SMALL,
      namespace,
      'client-replicas': '4',
      // So that one whose pod ends goes missing, as with a node that is lost.
      'client-config': '{"leave_on_terminate": false}',
    });
    expect(deployed.code, deployed.log).toBe(0);
    server = await address(namespace, 'consul-server-0');
    clients = await Promise.all([0, 1, 2, 3].map((n) => address(namespace, `consul-client-${n}`)));
    const [zero = '', one = '', two = '', three = ''] = clients;

    await register(zero, { ID: 'living', Name: 'living', Check: { TTL: '1h', Status: 'passing' } });
    // What a load-balanced Service makes: one registration a day, each at another agent.
    for (const ip of [zero, one]) await register(ip, { ID: 'web', Name: 'web', Address: NOWHERE, Port: 80 });
    for (const ip of [zero, one, two]) await register(ip, { ID: 'orders', Name: 'orders', Port: 80 });
    await register(two, { ID: 'lost', Name: 'lost', Address: NOWHERE, Check: { TTL: '1h' } });
    await register(three, { ID: 'aboard', Name: 'aboard' });
    await enter({ Node: 'ghost', Address: NOWHERE, Service: { ID: 'old', Service: 'old' } });
    // As an agent writes it that gossip no longer reaches: with its id, and without serfHealth.
    const id = { ID: '6c2d5a1e-7f0b-4d43-9a35-1b8e0c4f2d77' };
    await enter({ ...id, Node: 'edge', Address: NOWHERE, Service: { ID: 'held', Service: 'held' } });
    const external = { Node: 'database', Address: NOWHERE, NodeMeta: { 'external-node': 'true' } };
    await enter({ ...external, Service: { ID: 'postgres', Service: 'postgres' } });
    await put(server, '/v1/kv/application/setting', 'kept');
    // Its agent would take it out within two minutes, so it is put in again and again.
    const entry = { Node: 'consul-client-1', Address: one, SkipNodeUpdate: true };
    forgotten = repeat(200, () => enter({ ...entry, Service: { ID: 'forgotten', Service: 'forgotten' } }));

    await k('scale', 'statefulset/consul-client', '--replicas=3');
    await k('delete', 'pod/consul-client-3', '--grace-period=0', '--force', '--ignore-not-found');
    await eventually('consul-client-3 to have failed', 90_000, async () => {
      const found = (await members(server)).find(({ Name }) => Name === 'consul-client-3');
      return found?.Status === FAILED || undefined;
    });
    await applyRbac(objects);
    kubeconfig = await kubeconfigOf(namespace, (await k('create', 'token', 'consul-sweep')).trim());
  });
  afterAll(async () => {
    await forgotten?.stop();
    await removeRbac(objects);
    await removeNamespace(namespace);
  });

  it('verify counts them', async () => {
    const outcome = await deploy({ mode: 'verify', namespace, 'stable-for': '2s', 'on-drift': 'report' });
    expect(outcome.code, outcome.log).toBe(0);
    expect(check(outcome, 'members-left-over')).toMatchObject({
      status: 'warning',
      observed: expect.stringMatching(/failed: consul-client-3, edge; in the catalog alone: ghost/),
    });
    expect(check(outcome, 'services-left-over')).toMatchObject({
      status: 'warning',
      observed: expect.stringMatching(/1 unheld.*1 duplicate/),
    });
  });

  it('a dry run finds each, with the least permissions and no record, and writes nothing', async () => {
    await k('delete', 'configmap/consul-deploy-consul');
    const before = [await catalog(server), await versions(namespace)];
    const outcome = await sweep({ deregister: 'ordres' });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'false' });
    expect([await catalog(server), await versions(namespace)]).toEqual(before);

    const found = (kind: GhostReport['class']) =>
      (outcome.report?.ghosts ?? [])
        .filter((ghost) => ghost.class === kind)
        .map(({ nodes, service, remedy, outcome }) => [nodes.join(' '), service, remedy, outcome])
        .sort();
    expect(found('synthetic')).toEqual([['ghost', undefined, 'catalog', 'found']]);
    expect(found('no-pod')).toEqual([['consul-client-3', undefined, 'force-leave', 'found']]);
    expect(found('failed')).toEqual([['edge', undefined, 'none', 'kept']]);
    expect(found('unheld')).toEqual([['consul-client-1', 'forgotten', 'catalog', 'found']]);
    expect(found('app-gone')).toEqual([['consul-client-2', 'lost', 'none', 'kept']]);
    expect(found('external')).toEqual([['database', undefined, 'none', 'kept']]);
    expect(found('duplicate')).toEqual([
      ['consul-client-0 consul-client-1 consul-client-2', 'orders', 'none', 'kept'],
      ['consul-client-0 consul-client-1', 'web', 'none', 'kept'],
    ]);
    expect(JSON.stringify(outcome.report?.ghosts)).not.toContain('living');
    expect(outcome.report?.warnings).toContainEqual(expect.stringContaining('did you mean orders?'));
    expect(check(outcome, 'catalog-ghosts').status).toBe('warning');
    expect(outcome.summary).toContain('### Catalog: 6 ghosts');
  });

  it('removes those and no others, at every agent what is asked for by name, and proves that it stays away', async () => {
    await forgotten.stop();
    const outcome = await sweep({ 'sweep-apply': 'true', deregister: 'orders' });
    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'true' });
    expect(check(outcome, 'catalog-stays-clean').status).toBe('passed');
    expect(removed(outcome)).toEqual([
      'consul-client-0 orders',
      'consul-client-1 orders',
      'consul-client-2 orders',
      'consul-client-3 no-pod',
      'ghost synthetic',
    ]);
    expect(await catalog(server)).toEqual([
      'consul-client-0 living',
      'consul-client-0 web',
      'consul-client-1 web',
      'consul-client-2 lost',
      'database postgres',
      'edge held',
      ...['consul-server-0 consul', 'consul-server-1 consul', 'consul-server-2 consul'],
    ]);
    for (const ip of clients.slice(0, 3)) {
      expect(Object.keys(await consul<object>(ip, '/v1/agent/services'))).not.toContain('orders');
    }
    expect((await members(server)).map(({ Name }) => Name)).not.toContain('consul-client-3');
    expect(await keys(server, 'application/')).toEqual(['application/setting']);
    expect((await pods(namespace)).length).toBe(6);
  });

  it('is red, and names it, when something of it comes back', async () => {
    const phoenix = repeat(3_000, () => enter({ Node: 'phoenix', Address: NOWHERE }));
    try {
      await eventually('the phoenix', 10_000, async () => {
        const nodes = await consul<{ Node: string }[]>(server, '/v1/catalog/nodes');
        return nodes.some(({ Node }) => Node === 'phoenix') || undefined;
      });
      const outcome = await sweep({ 'sweep-apply': 'true' });
      expect(outcome.code, outcome.log).toBe(1);
      expect(outcome.outputs).toMatchObject({ 'failure-reason': 'ghosts', changed: 'true' });
      expect(outcome.report?.failure?.what).toMatch(/^node phoenix (came back|did not go)$/);
      expect(outcome.summary).toContain('The catalog is not clean');
    } finally {
      await phoenix.stop();
    }
  });
});

it('says that there is nothing to sweep where nothing runs, and writes no lock', async () => {
  const namespace = namespaceName('unswept');
  await kubectl('create', 'namespace', namespace);
  try {
    const outcome = await deploy({ mode: 'sweep', namespace });
    expectRed(outcome, 'not-deployed', 'The catalog is not clean');
    expect(await kubectl('-n', namespace, 'get', 'leases', '-o', 'name')).toBe('');
  } finally {
    await removeNamespace(namespace);
  }
});

/** `node service` of everything in the catalog, as a server at its own address says it. */
async function catalog(server: string): Promise<string[]> {
  const nodes = await consul<{ Node: string }[]>(server, '/v1/catalog/nodes?consistent');
  const found = await Promise.all(
    nodes.map(async ({ Node }) => {
      const { Services } = await consul<{ Services: { ID: string }[] }>(
        server,
        `/v1/catalog/node-services/${Node}?consistent`,
      );
      return Services.map(({ ID }) => `${Node} ${ID}`);
    }),
  );
  return found.flat().sort(byServers);
}

/** Servers last, so that what a test is about comes first. */
function byServers(a: string, b: string): number {
  const rank = (text: string) => `${text.startsWith('consul-server') ? 1 : 0}${text}`;
  return rank(a) < rank(b) ? -1 : 1;
}

/** But what its own agent may have taken out just before. */
function removed({ report }: Outcome): string[] {
  return (report?.ghosts ?? [])
    .filter((ghost) => ghost.outcome === 'removed' && ghost.class !== 'unheld')
    .map(({ class: kind, nodes, service }) => `${nodes.join(' ')} ${service ?? kind}`)
    .sort();
}

interface Repeated {
  stop: () => Promise<void>;
}

/** Does it now and then again and again, until it is stopped. */
function repeat(ms: number, act: () => Promise<void>): Repeated {
  let last = Promise.resolve();
  const again = () => {
    last = last.then(act).catch(() => undefined);
  };
  again();
  const timer = setInterval(again, ms);
  return {
    stop: async () => {
      clearInterval(timer);
      await last;
    },
  };
}
