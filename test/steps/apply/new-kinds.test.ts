import { describe, expect, test } from 'vitest';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { plan } from '../../../src/steps/apply/apply.ts';
import { judgeNewKinds } from '../../../src/steps/apply/new-kinds.ts';
import { type Call, connectTo, json, signal, startServer, status } from '../../kubernetes/fake-server.ts';
import { startRun } from '../../session/fixture.ts';
import { discoveryAnswer } from '../../session/resources.ts';

const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com';
const definition: KubernetesObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [{ name: 'v1', served: true }],
  },
};
const widget: KubernetesObject = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'consul' },
};
const WIDGET = '/apis/example.com/v1/namespaces/consul/widgets/w';

/** An API server that serves widgets after it was asked for one so many times. */
async function start({ servedAfter = 0, refuses = false } = {}) {
  let asked = 0;
  const server = await startServer((call: Call, response) => {
    const { path, method, query } = call;
    if (path === '/api') return json(response, 200, discoveryAnswer(path));
    if (path === '/apis') return json(response, 200, withDefinitions(discoveryAnswer(path)));
    const body = method === 'PATCH' ? JSON.parse(call.body) : undefined;
    if (path === CRD && body) return json(response, 200, applied(body));
    if (path === CRD)
      return status(response, 404, { reason: 'NotFound', details: { name: 'widgets.example.com' } });
    if (path !== WIDGET) return status(response, 500, { message: `unexpected ${path}` });
    if (asked++ < servedAfter) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
      return;
    }
    if (!body) return status(response, 404, { reason: 'NotFound', details: { name: 'w', kind: 'widgets' } });
    expect(query.get('dryRun')).toBe('All');
    if (refuses) return status(response, 422, { reason: 'Invalid', message: 'spec.size: Required value' });
    return json(response, 200, applied(body));
  });
  const transport = await connectTo(server.url);
  const cluster = { transport, discovery: await Discovery.load(transport, signal()) };
  const { run } = startRun();
  return { run, cluster, server };
}

function applied(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, managedFields: [] } };
}

function withDefinitions(answer: unknown): unknown {
  const list = answer as { items: object[] };
  const resources = [
    {
      resource: 'customresourcedefinitions',
      scope: 'Cluster',
      responseKind: { kind: 'CustomResourceDefinition' },
    },
  ];
  const group = { metadata: { name: 'apiextensions.k8s.io' }, versions: [{ version: 'v1', resources }] };
  return { ...list, items: [...list.items, group] };
}

describe('an object whose kind comes with the same set', () => {
  test('is planned without asking, and judged when its kind is served', async () => {
    const { run, cluster, server } = await start({ servedAfter: 2 });
    cluster.discovery.announce([definition, widget]);
    const before = await plan(run, cluster, [definition, widget]);
    expect(before.objects).toMatchObject([
      { desired: definition, action: 'create', unverified: false },
      { desired: widget, action: 'create', unverified: true },
    ]);
    expect(server.calls.filter(({ path }) => path === WIDGET)).toEqual([]);

    const judged = await judgeNewKinds(run, cluster, before.objects);
    expect([...judged.keys()]).toEqual([widget]);
    expect(judged.get(widget)).toMatchObject({ action: 'create', unverified: false });
    expect(server.calls.filter(({ path }) => path === WIDGET).map(({ method }) => method)).toEqual([
      'GET',
      'GET',
      'GET',
      'GET',
      'PATCH',
    ]);
  });

  test('is refused before any workload is applied, without a word that nothing was changed', async () => {
    const { run, cluster } = await start({ refuses: true });
    cluster.discovery.announce([definition, widget]);
    const { objects } = await plan(run, cluster, [definition, widget]);
    await expect(judgeNewKinds(run, cluster, objects)).rejects.toMatchObject({
      reason: 'invalid-manifest',
      what: 'spec.size: Required value',
      hint: expect.not.stringMatching(/nothing was changed/i),
    });
  });

  test('whose kind the cluster serves already is not judged again', async () => {
    const { run, cluster, server } = await start();
    const { objects } = await plan(run, cluster, [definition]);
    const calls = server.calls.length;
    expect(await judgeNewKinds(run, cluster, objects)).toEqual(new Map());
    expect(server.calls).toHaveLength(calls);
  });
});
