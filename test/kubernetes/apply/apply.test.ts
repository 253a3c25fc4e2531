import { expect, test } from 'vitest';
import { applyObject } from '../../../src/kubernetes/apply/apply.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import { FIELD_MANAGER } from '../../../src/kubernetes/object.ts';
import { answerAggregated } from '../fake-discovery.ts';
import { connectTo, json, signal, startServer } from '../fake-server.ts';

/** Its `from` is what a typed client once turned into `ingress: [{}]`, which allows everybody. */
const networkPolicy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'consul', namespace: 'consul' },
  spec: {
    podSelector: { matchLabels: { app: 'consul' } },
    ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 8501, protocol: 'TCP' }] }],
    aFieldOfTheFuture: { kept: [1, null, 'ä'] },
  },
};

async function apply(options: { dryRun?: boolean; force?: boolean }) {
  const server = await startServer((call, response) => {
    if (answerAggregated(call, response)) return;
    json(response, 200, JSON.parse(call.body), { warning: '299 - "mind this"' });
  });
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const result = await applyObject({ transport, discovery }, networkPolicy, { ...options, signal: signal() });
  return { result, call: server.calls.at(-1) };
}

test('a NetworkPolicy reaches the API server byte for byte', async () => {
  const { result, call } = await apply({});
  expect(call?.body).toBe(JSON.stringify(networkPolicy));
  expect(call?.method).toBe('PATCH');
  expect(call?.path).toBe('/apis/networking.k8s.io/v1/namespaces/consul/networkpolicies/consul');
  expect(call?.headers['content-type']).toBe('application/apply-patch+yaml');
  expect(result).toEqual({ object: networkPolicy, warnings: ['mind this'] });
});

test.each([
  [{}, { force: 'false' }],
  [{ dryRun: true }, { force: 'false', dryRun: 'All' }],
  [{ force: true }, { force: 'true' }],
])('%j asks for %j', async (options, query) => {
  const { call } = await apply(options);
  expect(Object.fromEntries(call?.query ?? [])).toEqual({
    fieldManager: FIELD_MANAGER,
    fieldValidation: 'Strict',
    ...query,
  });
});
