import { expect, test } from 'vitest';
import { encodeRecord } from '../../src/inventory/codec.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { inventory, object, runRecord } from '../inventory/fixture.ts';
import { answerAggregated } from '../kubernetes/fake-discovery.ts';
import { type FakeServer, json, kubeconfig, startServer, status } from '../kubernetes/fake-server.ts';
import { runStep, type Step } from './step.ts';

const RECORD = '/api/v1/namespaces/consul/configmaps/consul-deploy-consul';
const OBJECTS = [object('ConfigMap', 'consul-server-config'), object('StatefulSet', 'consul-server')];

/** @param record what is in the cluster; undefined: nothing @param denied verbs that nobody may use */
async function verify(
  record: Inventory | undefined,
  denied: readonly string[] = [],
): Promise<Step & { api: FakeServer }> {
  const api = await startServer((call, response) => {
    if (answerAggregated(call, response)) return;
    if (call.path === '/version') return json(response, 200, { gitVersion: 'v1.34.1' });
    if (call.path.endsWith('/selfsubjectaccessreviews')) {
      const { verb, resource } = JSON.parse(call.body).spec.resourceAttributes;
      return json(response, 201, { status: { allowed: !denied.includes(`${verb} ${resource}`) } });
    }
    if (call.path === RECORD && record) {
      const labels = { 'app.kubernetes.io/managed-by': 'consul-deploy' };
      const written = encodeRecord(record, OBJECTS);
      return json(response, 200, { ...object('ConfigMap', 'consul-deploy-consul', { labels }), ...written });
    }
    return status(response, 404, { reason: 'NotFound', message: `no ${call.path}` });
  });
  const config = Buffer.from(kubeconfig(api.url)).toString('base64');
  return { ...(await runStep({ mode: 'verify', kubeconfig: config })), api };
}

/** All but questions that the API server takes as POST. */
const writes = ({ api }: { api: FakeServer }) =>
  api.calls.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/selfsubjectaccessreviews'));

test.each([
  ['nothing was deployed', undefined, 'there is no record of a deploy of "consul" in namespace consul'],
  [
    'the only deploy was cut off',
    inventory({ phase: 'applying', run: 'org/repo/actions/runs/1' }),
    'the first deploy of "consul" has not come to its end: org/repo/actions/runs/1 began at',
  ],
])('a verification where %s is red at once and does not even take a lock', async (_, record, words) => {
  const step = await verify(record);
  expect(step.code, step.log).toBe(1);
  expect(step.outputs).toMatchObject({
    result: 'failure',
    'failure-reason': 'not-deployed',
    changed: 'false',
  });
  expect(step.summary).toContain(words);
  expect(writes(step)).toEqual([]);
});

test('a verification asks for the permissions that it needs, and not for those of a deploy', async () => {
  const deployed = inventory({ history: [runRecord()] });
  const denied = ['patch configmaps', 'create statefulsets', 'list pods', 'get pods'];
  const step = await verify(deployed, denied);
  expect(step.outputs).toMatchObject({ result: 'failure', 'failure-reason': 'forbidden' });
  expect(step.log).toContain('list pods');
  expect(step.log).not.toMatch(/patch configmaps|create statefulsets/);
  expect(writes(step)).toEqual([]);
});
