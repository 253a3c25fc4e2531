import { expect, test } from 'vitest';
import { entryOf } from '../../../src/inventory/entry.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type Comparison, compare } from '../../../src/steps/drift/compare.ts';
import { managed, stored } from '../../change/fixture.ts';
import { inventory, object } from '../../inventory/fixture.ts';
import { answerAggregated, staleGroup } from '../../kubernetes/fake-discovery.ts';
import {
  type Call,
  connectTo,
  json,
  page,
  signal,
  startServer,
  status,
} from '../../kubernetes/fake-server.ts';
import { startRun } from '../../session/fixture.ts';

const LABELS = { 'app.kubernetes.io/instance': 'consul', 'app.kubernetes.io/managed-by': 'consul-deploy' };
const OURS = managed({ 'f:data': { 'f:a': {} }, 'f:spec': { 'f:replicas': {} } });

const configMap = (name: string, data: object, metadata: object = {}) =>
  stored(object('ConfigMap', name, metadata, { data }), [OURS]);
const statefulSet = (name: string, replicas: number, manager: string) =>
  stored(object('StatefulSet', name, {}, { spec: { replicas } }), [
    managed({ 'f:spec': { 'f:replicas': {} } }, { manager, operation: 'Update', subresource: 'scale' }),
  ]);

interface World {
  live: KubernetesObject[];
  deployed: KubernetesObject[];
  /** Uids as they were recorded. */
  uids?: Record<string, string>;
  manifests?: KubernetesObject[];
  /** The aggregated API `example.com/v1` does not answer. */
  stale?: boolean;
  /** Objects on a page of a list. */
  pageSize?: number;
  /** Calls that are refused, as `METHOD resource`, and with which status. */
  refused?: Record<string, number>;
}

/** Compares over real HTTP; a dry run gives the object as it was deployed. */
async function comparison(world: World): Promise<Comparison & { calls: Call[] }> {
  const { live, deployed, refused = {}, manifests = deployed } = world;
  const api = await startServer((call, response) => {
    if (answerAggregated(call, response, world.stale ? [staleGroup('example.com')] : [])) return;
    const [, resource = '', name] = /\/namespaces\/consul\/(\w+)(?:\/(.+))?$/.exec(call.path) ?? [];
    const code = refused[`${call.method} ${resource}`];
    if (code !== undefined) return status(response, code, { reason: 'No', message: 'no' });
    const same = (one: KubernetesObject) => `${one.kind.toLowerCase()}s` === resource;
    if (name === undefined) {
      // Items of a list are without apiVersion and kind.
      const items = live.filter(same).map(({ apiVersion: _, kind: _kind, ...rest }) => rest);
      return json(response, 200, page(call, items, world.pageSize));
    }
    const found = live.find((one) => same(one) && one.metadata.name === name);
    if (call.method === 'PATCH') {
      const { body } = call;
      return json(response, 200, stored(JSON.parse(body) as KubernetesObject, [OURS]));
    }
    return found ? json(response, 200, found) : status(response, 404, { reason: 'NotFound' });
  });
  const transport = await connectTo(api.url);
  const cluster = { transport, discovery: await Discovery.load(transport, signal()) };
  const entries = deployed.map((one) => ({
    ...entryOf(one),
    uid: `uid of ${one.metadata.name}`,
    ...uid(world, one),
  }));
  const record = { inventory: inventory({ entries }), manifests, live: object('ConfigMap', 'record') };
  return { ...(await compare(startRun().run, cluster, record)), calls: api.calls };
}

function uid({ uids = {} }: World, { metadata }: KubernetesObject): { uid?: string } {
  const found = uids[metadata.name];
  return found === undefined ? {} : { uid: found };
}

const brief = ({ drift }: Comparison) =>
  drift.map(({ kind, name, what, fields }) => [`${kind}/${name}`, what, ...fields.map(({ path }) => path)]);

test('a comparison of a cluster that is as it was deployed finds nothing and writes nothing', async () => {
  const found = await comparison({
    deployed: [object('ConfigMap', 'a', {}, { data: { a: '1' } })],
    live: [configMap('a', { a: '1', added: 'x' }, { labels: LABELS })],
  });
  expect(found).toMatchObject({ drift: [], unseen: [] });
  const writes = found.calls.filter(({ method }) => method !== 'GET');
  expect(writes).not.toEqual([]);
  expect(writes.every(({ query }) => query.get('dryRun') === 'All')).toBe(true);
});

test('a comparison finds what is missing, changed, replaced and unexpected', async () => {
  const found = await comparison({
    deployed: ['gone', 'changed', 'replaced'].map((name) =>
      object('ConfigMap', name, {}, { data: { a: '1' } }),
    ),
    live: [
      configMap('changed', { a: '2' }, { labels: LABELS }),
      configMap('replaced', { a: '1' }),
      configMap('extra', {}, { labels: LABELS }),
      // Neither the record itself nor what a controller made.
      configMap('consul-deploy-consul', {}, { labels: LABELS }),
      configMap(
        'made',
        {},
        {
          labels: LABELS,
          ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p', controller: true }],
        },
      ),
    ],
    uids: { replaced: 'another' },
  });
  expect(brief(found)).toEqual([
    ['ConfigMap/gone', 'missing'],
    ['ConfigMap/changed', 'changed', '.data.a'],
    ['ConfigMap/replaced', 'replaced'],
    ['ConfigMap/extra', 'unexpected'],
  ]);
  expect(found.live.map(({ metadata }) => metadata.name)).toEqual(['changed', 'replaced']);
});

test('a comparison finds what is unexpected on every page of a list', async () => {
  const found = await comparison({
    deployed: [],
    live: ['one', 'two', 'three'].map((name) => configMap(name, {}, { labels: LABELS })),
    pageSize: 1,
  });
  expect(found.drift.map(({ name }) => name)).toEqual(['one', 'two', 'three']);
});

test.each([400, 403, 409, 422])(
  'a comparison where a dry run is refused with %d does without it',
  async (code) => {
    const found = await comparison({
      deployed: ['same', 'changed'].map((name) => object('ConfigMap', name, {}, { data: { a: '1' } })),
      live: [configMap('same', { a: '1' }), configMap('changed', { a: '2' })],
      refused: { 'PATCH configmaps': code },
    });
    expect(brief(found)).toEqual([['ConfigMap/changed', 'changed', '.data.a']]);
  },
);

test('a comparison says what it may not look at', async () => {
  const found = await comparison({
    deployed: [object('ConfigMap', 'a')],
    live: [configMap('a', {})],
    refused: { 'GET services': 403 },
  });
  expect(found).toMatchObject({ drift: [], unseen: ['the list of Services (forbidden)'] });
});

test('what the API server cannot tell of is neither missing nor compared', async () => {
  const certificate = { ...object('Certificate', 'tls'), apiVersion: 'example.com/v1' };
  const found = await comparison({
    deployed: [object('ConfigMap', 'a'), certificate],
    live: [configMap('a', {})],
    stale: true,
  });
  const why = 'the API server cannot say what its group holds';
  expect(found).toMatchObject({
    drift: [],
    unseen: [`Certificate/tls (${why})`, `the list of Certificates (${why})`],
  });
});

test('an autoscaler may change the number of clients, and nobody that of the servers', async () => {
  const found = await comparison({
    deployed: ['consul-client', 'consul-server'].map((name) =>
      object('StatefulSet', name, {}, { spec: { replicas: 3 } }),
    ),
    live: ['consul-client', 'consul-server'].map((name) => statefulSet(name, 5, 'kube-controller-manager')),
  });
  expect(brief(found)).toEqual([['StatefulSet/consul-server', 'changed', '.spec.replicas']]);
});

test('objects without manifests in the record are compared by name and uid', async () => {
  const found = await comparison({
    deployed: [object('ConfigMap', 'a'), object('ConfigMap', 'gone')],
    live: [configMap('a', { a: '2' })],
    uids: { a: 'another' },
    manifests: [],
  });
  expect(brief(found)).toEqual([
    ['ConfigMap/a', 'replaced'],
    ['ConfigMap/gone', 'missing'],
  ]);
  expect(found.deployed).toEqual(found.live);
});
