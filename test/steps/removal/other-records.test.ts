import { describe, expect, test } from 'vitest';
import { encodeRecord } from '../../../src/inventory/codec.ts';
import { entryKey, entryOf } from '../../../src/inventory/entry.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { NO_OTHERS, readOtherRecords } from '../../../src/steps/removal/other-records.ts';
import { planPrune, prune } from '../../../src/steps/removal/prune.ts';
import { inventory } from '../../inventory/fixture.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { deployed, type Instead, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';

/** What both post-renderers give, without a label of ours. */
const shared = deployed('ConfigMap', 'dashboards');
const alone = deployed('ConfigMap', 'notes');
const clusterWide = deployed('ClusterRole', 'reader');

function record(deployment: string, objects: readonly KubernetesObject[], metadata: object = {}) {
  const labels = {
    'app.kubernetes.io/managed-by': 'consul-deploy',
    'app.kubernetes.io/instance': deployment,
  };
  const { data } = encodeRecord(inventory({ entries: objects.map(entryOf) }), []);
  return deployed('ConfigMap', `consul-deploy-${deployment}`, { labels, ...metadata }, { data });
}

async function start(objects: readonly KubernetesObject[], instead?: Instead) {
  const api = await startFakeApi(instead);
  api.put(...objects);
  const { run, lines } = startRun({ maxPrune: { kind: 'percent', percent: 100 } });
  const read = (entries: readonly KubernetesObject[]) =>
    readOtherRecords(run, api.cluster, entries.map(entryOf));
  return { api, run, lines, read };
}

const forbidden =
  (path: string): Instead =>
  (call, response) => {
    if (call.path !== path) return undefined;
    status(response, 403, { reason: 'Forbidden', message: 'no' });
    return true;
  };

const CONFIG_MAPS = '/api/v1/namespaces/consul/configmaps';

describe('the records of other deployments', () => {
  test('tell what belongs to them, and our own says nothing', async () => {
    const { read } = await start([record('b', [shared]), record('consul', [alone])]);
    const { named, unread } = await read([shared, alone]);
    expect([...named]).toEqual([[entryKey(entryOf(shared)), 'b']]);
    expect(unread).toBeUndefined();
  });

  test('of other namespaces count for what has no namespace', async () => {
    const elsewhere = record('consul', [clusterWide], { namespace: 'other' });
    const { read } = await start([elsewhere]);
    expect((await read([shared])).named.size).toBe(0);
    expect([...(await read([clusterWide])).named.values()]).toEqual(['consul']);
  });

  test('are not looked for where nothing will be removed', async () => {
    const { read, api } = await start([]);
    const before = api.server.calls.length;
    expect(await read([deployed('Namespace', 'consul')])).toEqual(NO_OTHERS);
    expect(api.server.calls).toHaveLength(before);
  });

  test('are no ConfigMaps of agents, also where a deployment is named like a record', async () => {
    const labels = {
      'app.kubernetes.io/managed-by': 'consul-deploy',
      'app.kubernetes.io/instance': 'consul-deploy-b',
    };
    const { read } = await start([deployed('ConfigMap', 'consul-deploy-b-server-config', { labels })]);
    expect(await read([shared])).toEqual(NO_OTHERS);
  });

  test.each<[string, KubernetesObject[], Instead, string]>([
    [
      'that may not be listed',
      [],
      forbidden(CONFIG_MAPS),
      'the records of other deployments may not be listed (list on configmaps in consul)',
    ],
    [
      'one of which may not be read',
      [record('b', [])],
      forbidden(`${CONFIG_MAPS}/consul-deploy-b`),
      'the record ConfigMap/consul-deploy-b in namespace consul may not be read',
    ],
    [
      'one of which is damaged',
      [{ ...record('b', []), data: {} }],
      () => undefined,
      'the record ConfigMap/consul-deploy-b in namespace consul is damaged: it holds no inventory',
    ],
  ])('%s are unknown, not none', async (_, objects, instead, unread) => {
    const { read } = await start(objects, instead);
    expect((await read([shared])).unread).toBe(unread);
  });
});

describe('what two deployments in one namespace have rendered', () => {
  const pruneBoth = async (objects: readonly KubernetesObject[], instead?: Instead) => {
    const started = await start([shared, alone, ...objects], instead);
    const { run, api } = started;
    const own = inventory({ entries: [shared, alone].map(entryOf) });
    const pruning = await planPrune(run, api.cluster, own, []);
    return { ...started, pruning };
  };

  test('stays when one of them does not render it any more', async () => {
    const { api, run, pruning, lines } = await pruneBoth([record('b', [shared])]);
    await prune(run, api.cluster, pruning);
    expect(api.writes()).toEqual(['DELETE configmaps/notes']);
    expect(lines.join('\n')).toContain(
      'ConfigMap/dashboards is not rendered any more and stays: it is in the record of the deployment "b", too',
    );
  });

  test('stays when the other one has come after the dry run', async () => {
    const { api, run, pruning } = await pruneBoth([]);
    api.put(record('b', [shared]));
    await prune(run, api.cluster, pruning);
    expect(api.writes()).toEqual(['DELETE configmaps/notes']);
  });

  test('stays, and stays ours, when nobody may see whether there is another one', async () => {
    const { api, run, pruning, lines } = await pruneBoth([], forbidden(CONFIG_MAPS));
    const { kept } = await prune(run, api.cluster, pruning);
    expect(kept.map(({ name }) => name)).toEqual(['dashboards', 'notes']);
    expect(api.writes()).toEqual([]);
    expect(lines.join('\n')).toContain('list on configmaps in consul');
  });
});
