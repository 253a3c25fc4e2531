import { expect, test } from 'vitest';
import { removeSmoke } from '../../../src/steps/proof/clean-up.ts';
import { fakeConsul } from '../../consul/fake-consul.ts';
import { connectTo, json, page, signal, startServer } from '../../kubernetes/fake-server.ts';
import { forwardTo } from '../../session/fake-port-forward.ts';

const CLUSTER = { namespace: 'consul', name: 'consul' };
const SMOKE = 'consul-deploy-smoke-1';

const pod = (role: 'server' | 'client', ordinal: number) => ({
  metadata: { name: `consul-${role}-${ordinal}`, uid: `${role}-${ordinal}`, labels: { 'consul-role': role } },
  status: { phase: 'Running' },
});

/** A cluster in which a run was killed: every client holds a smoke service of it. */
async function killed(clients: number, pageSize?: number) {
  const consul = await fakeConsul(({ method, path }) => {
    if (path === '/v1/agent/services') return { body: { [SMOKE]: {}, web: {} } };
    return { body: method === 'DELETE' ? true : null };
  });
  const pods = [pod('server', 0), ...Array.from({ length: clients }, (_, at) => pod('client', at))];
  const api = await startServer((call, response) => json(response, 200, page(call, pods, pageSize)));
  const forwards = forwardTo(api, consul.dial);
  const cleaned = await removeSmoke(await connectTo(api.url), CLUSTER, signal());
  const writes = consul.requests.filter(({ method }) => method !== 'GET');
  return { cleaned, forwards, writes: writes.map(({ method, path }) => `${method} ${path}`) };
}

test('the smoke key and the smoke services of a killed run are removed, and nothing else', async () => {
  const { cleaned, writes } = await killed(2);
  expect(cleaned).toEqual({ services: 2, missed: [] });
  expect(writes).toEqual([
    expect.stringMatching(/^DELETE \/v1\/kv\//),
    `PUT /v1/agent/service/deregister/${SMOKE}`,
    `PUT /v1/agent/service/deregister/${SMOKE}`,
  ]);
});

test('clients on every page of the list are asked', async () => {
  const { cleaned } = await killed(5, 2);
  expect(cleaned).toEqual({ services: 5, missed: [] });
});

test('many clients are asked over a few connections at once', async () => {
  const { cleaned, forwards } = await killed(60);
  expect(cleaned.services).toBe(60);
  expect(forwards.opened).toBe(61);
  expect(forwards.mostOpen).toBeLessThanOrEqual(20);
});
