import { expect, test } from 'vitest';
import { checkVolumes } from '../../../src/steps/drift/volumes.ts';
import { connectTo, json, startServer, status } from '../../kubernetes/fake-server.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const PODS = ['a', 'b'].map((node, index) => pod(`consul-server-${index}`, { node }));

/** @param fill percent of the volume on each node; a status instead where the kubelet cannot be asked */
async function volumes(fill: Record<string, number | { status: number }>, claims = true) {
  const api = await startServer((call, response) => {
    const [, node = ''] = /^\/api\/v1\/nodes\/(\w)\/proxy\/stats\/summary$/.exec(call.path) ?? [];
    const said = fill[node];
    if (typeof said !== 'number') return status(response, said?.status ?? 404, { message: 'no' });
    const name = `data-consul-server-${node === 'a' ? 0 : 1}`;
    const volume = [{ pvcRef: { name, namespace: 'consul' }, usedBytes: said, capacityBytes: 100 }];
    return json(response, 200, { pods: [{ volume }] });
  });
  const { run } = startRun();
  const workloads = {
    pods: () => PODS,
    claims: (_: unknown, { name }: { name: string }) => (claims ? [`data-${name}`] : []),
  };
  const failure = await checkVolumes(run, { transport: await connectTo(api.url) }, workloads);
  return { failure, check: run.result().checks[0], calls: api.calls.length };
}

test.each([
  [
    'room enough',
    { a: 10, b: 79 },
    'passed',
    'data-consul-server-1 79 %, data-consul-server-0 10 %',
    undefined,
  ],
  [
    'getting full',
    { a: 80, b: 10 },
    'warning',
    'data-consul-server-0 80 %, data-consul-server-1 10 %',
    undefined,
  ],
  ['full', { a: 10, b: 95 }, 'failed', 'data-consul-server-1 95 %, data-consul-server-0 10 %', 'disk-full'],
  ['one that does not say', { a: 10, b: { status: 502 } }, 'passed', 'data-consul-server-0 10 %', undefined],
  [
    'forbidden',
    { a: { status: 403 }, b: { status: 403 } },
    'skipped',
    'get on nodes/proxy is not allowed',
    undefined,
  ],
])('the volumes of two servers: %s', async (_, fill, state, observed, reason) => {
  const { failure, check } = await volumes(fill);
  expect(check).toMatchObject({ id: 'servers-volumes', status: state, observed });
  expect(failure?.reason).toBe(reason);
});

test('servers without volumes are not asked how full those are', async () => {
  expect(await volumes({ a: 99 }, false)).toEqual({ failure: undefined, check: undefined, calls: 0 });
});
