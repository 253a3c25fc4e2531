import { describe, expect, test } from 'vitest';
import { entryOf } from '../../../src/inventory/entry.ts';
import { planPrune, prune } from '../../../src/steps/removal/prune.ts';
import { inventory } from '../../inventory/fixture.ts';
import { status } from '../../kubernetes/fake-server.ts';
import {
  deployed,
  type FakeApi,
  type Instead,
  staleDiscovery,
  startFakeApi,
} from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

const server = deployed('Service', 'consul-server');
const ui = deployed('Service', 'consul-ui');
const budget = deployed('PodDisruptionBudget', 'consul-client');
const clients = deployed('StatefulSet', 'consul-client');
const account = deployed('ServiceAccount', 'consul-client');
const secret = deployed('Secret', 'consul-key');
const all = [server, ui, budget, clients, account, secret];

type Change = Parameters<typeof startRun>[0];

async function start(change: Change = {}, instead?: Instead) {
  const api = await startFakeApi(instead);
  api.put(...all);
  const { run, lines } = startRun({ maxPrune: { kind: 'percent', percent: 100 }, ...change });
  const plan = (before = all) =>
    planPrune(run, api.cluster, inventory({ entries: before.map(entryOf) }), [server]);
  return { api, run, lines, plan };
}

const names = (entries: readonly { kind: string; name: string }[]) =>
  entries.map(({ kind, name }) => `${kind}/${name}`);
const outcomes = ({ known }: ReturnType<typeof startRun>['run']) =>
  Object.fromEntries(known.objects.map(({ kind, name, action }) => [`${kind}/${name}`, action]));
const deletes = (api: FakeApi) => api.writes();

describe('what is no longer rendered', () => {
  test('goes in the reverse order of an apply, and nothing else does', async () => {
    const { api, run, plan } = await start();
    const pruning = await plan();
    expect(deletes(api)).toEqual([]);
    expect(names(pruning.removable)).toEqual([
      'Service/consul-ui',
      'PodDisruptionBudget/consul-client',
      'StatefulSet/consul-client',
      'ServiceAccount/consul-client',
    ]);
    const { kept, failure } = await prune(run, api.cluster, pruning);
    expect(failure).toBeUndefined();
    expect(names(kept)).toEqual(['Secret/consul-key']);
    expect(deletes(api)[0]).toBe('DELETE statefulsets/consul-client');
    expect(deletes(api).at(-1)).toBe('DELETE serviceaccounts/consul-client');
    expect(deletes(api)).toHaveLength(4);
    expect([...api.objects.keys()].map((path) => path.split('/').slice(-2).join('/')).sort()).toEqual([
      'secrets/consul-key',
      'services/consul-server',
    ]);
    expect(run.known.changed).toBe(true);
    expect(outcomes(run)).toEqual({
      'Service/consul-ui': 'removed',
      'PodDisruptionBudget/consul-client': 'removed',
      'StatefulSet/consul-client': 'removed',
      'ServiceAccount/consul-client': 'removed',
      'Secret/consul-key': 'kept',
    });
  });

  test('goes as it was seen: of that uid and version, with what it owns', async () => {
    const { api, run, plan } = await start();
    await prune(run, api.cluster, await plan([ui]));
    const call = api.server.calls.find(({ method }) => method === 'DELETE');
    expect(JSON.parse(call?.body ?? '')).toMatchObject({
      propagationPolicy: 'Background',
      preconditions: { uid: 'uid-consul-ui', resourceVersion: expect.any(String) },
    });
  });

  test('stays when somebody recreates it after the dry run', async () => {
    const { api, run, plan, lines } = await start();
    const pruning = await plan([ui]);
    api.put({ ...ui, metadata: { ...ui.metadata, uid: 'another' } });
    expect((await prune(run, api.cluster, pruning)).kept).toEqual([]);
    expect(deletes(api)).toEqual([]);
    expect(outcomes(run)).toEqual({ 'Service/consul-ui': 'kept' });
    expect(lines.join('\n')).toContain('somebody else recreated it');
    expect(run.known.changed).toBe(false);
  });

  test('is judged again when it changes between the look and the removal', async () => {
    let tries = 0;
    const { api, run, plan } = await start({}, (call, response, objects) => {
      if (call.method !== 'DELETE' || ++tries > 1) return undefined;
      const changed = { ...ui, metadata: { ...ui.metadata, annotations: { 'consul-deploy/prune': 'keep' } } };
      objects.set(call.path, changed);
      status(response, 409, {
        reason: 'Conflict',
        message: 'Precondition failed: ResourceVersion in precondition',
      });
      return true;
    });
    const { kept } = await prune(run, api.cluster, await plan([ui]));
    expect(names(kept)).toEqual(['Service/consul-ui']);
    expect(deletes(api)).toHaveLength(1);
    expect(outcomes(run)).toEqual({ 'Service/consul-ui': 'kept' });
  });

  test('is forgotten when it has gone by itself', async () => {
    const { api, run, plan } = await start();
    const pruning = await plan([ui]);
    api.objects.clear();
    expect(await prune(run, api.cluster, pruning)).toEqual({ kept: [] });
    expect(outcomes(run)).toEqual({});
  });

  test('stays in the inventory, and the run says so, where the API server cannot tell of its kind', async () => {
    const { api, run, plan, lines } = await start({}, staleDiscovery);
    const certificate = {
      ...deployed('Certificate', 'tls', { namespace: 'consul' }),
      apiVersion: 'example.com/v1',
    };
    const pruning = await plan([ui, certificate]);
    expect(names(pruning.removable)).toEqual(['Service/consul-ui']);
    const { kept } = await prune(run, api.cluster, pruning);
    expect(names(kept)).toEqual(['Certificate/tls']);
    expect(outcomes(run)).toEqual({ 'Service/consul-ui': 'removed', 'Certificate/tls': 'kept' });
    expect(lines.join('\n')).toContain(
      'Certificate/tls is not rendered any more and stays: the API server cannot say now what example.com/v1 holds',
    );
  });

  test('that cannot be removed stays in the inventory, and the rest goes all the same', async () => {
    const { api, run, plan } = await start({}, (call, response) => {
      if (call.method !== 'DELETE' || !call.path.endsWith('/consul-ui')) return undefined;
      status(response, 403, { reason: 'Forbidden', message: 'no' });
      return true;
    });
    const { kept, failure } = await prune(run, api.cluster, await plan([ui, account]));
    expect(names(kept)).toEqual(['Service/consul-ui']);
    expect(failure).toMatchObject({ reason: 'forbidden', where: 'Service/consul-ui' });
    expect(outcomes(run)).toEqual({ 'ServiceAccount/consul-client': 'removed' });
  });
});

test('`prune: false` removes nothing, says so, and forgets nothing', async () => {
  const { api, run, plan } = await start({ prune: false, maxPrune: { kind: 'count', count: 0 } });
  const pruning = await plan([server, ui, secret]);
  expect(pruning.removable).toEqual([]);
  expect(names(pruning.kept)).toEqual(['Service/consul-ui', 'Secret/consul-key']);
  expect(outcomes(run)).toEqual({ 'Service/consul-ui': 'kept', 'Secret/consul-key': 'kept' });
  expect(deletes(api)).toEqual([]);
});

describe('the limit of what one deploy removes', () => {
  test.each([
    ['a share', { kind: 'percent', percent: 50 } as const, '3 of 3', '(50%) allows to remove 1'],
    ['a count', { kind: 'count', count: 2 } as const, '3 of 3', '(2) allows to remove 2'],
  ])('as %s refuses before anything is changed, and names all of it', async (_, maxPrune, share, limit) => {
    const { api, plan } = await start({ maxPrune });
    const error = await plan([ui, account, clients]).catch((failure: unknown) => failure);
    expect(error).toMatchObject({
      reason: 'prune-limit',
      what: expect.stringContaining(share),
      hint: expect.stringContaining('Nothing was changed'),
      details: [
        'Service/consul-ui would be removed',
        'ServiceAccount/consul-client would be removed',
        'StatefulSet/consul-client would be removed',
      ],
    });
    expect(error).toMatchObject({ what: expect.stringContaining(limit) });
    expect(deletes(api)).toEqual([]);
  });

  test('does not count what would stay anyway', async () => {
    const { plan, api } = await start({ maxPrune: { kind: 'count', count: 1 } });
    api.objects.delete('/api/v1/namespaces/consul/serviceaccounts/consul-client');
    expect(names((await plan([ui, account, secret])).removable)).toEqual(['Service/consul-ui']);
  });
});

test('a deploy without an inventory has nothing to prune, and asks nothing', async () => {
  const { api, run } = await start();
  const before = api.server.calls.length;
  expect(await planPrune(run, api.cluster, undefined, [])).toEqual({ removable: [], live: [], kept: [] });
  expect(api.server.calls).toHaveLength(before);
});
