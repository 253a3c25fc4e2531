import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder, json, kubeconfig, startServer, status } from '../kubernetes/fake-server.ts';
import { runStep } from './step.ts';

const RUN = {
  GITHUB_REPOSITORY: 'org/app',
  GITHUB_RUN_ID: '7',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_JOB: 'deploy',
};
const OURS = 'org/app/actions/runs/7/attempts/2 deploy 0a1b2c3d';
/** What main has left to its post step. */
const STARTED = { STATE_main: 'started', STATE_lock: '0a1b2c3d' };
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/consul/leases/consul-deploy-consul';

/** The post step, against an API server with a Lease of this holder. */
async function post(
  holder: string | undefined,
  env: Record<string, string>,
  inputs: Record<string, string> = {},
  { silentPods = false } = {},
) {
  const api = await startServer((call, response) => {
    // As a cluster without a leader does it to whoever asks on while there is none.
    if (silentPods && call.path.endsWith('/pods')) return undefined;
    if (call.path !== LEASE || holder === undefined) return status(response, 404, { reason: 'NotFound' });
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'consul-deploy-consul', namespace: 'consul', resourceVersion: '41' },
      spec: { holderIdentity: holder, leaseDurationSeconds: 60 },
    };
    return json(response, 200, call.method === 'GET' ? lease : JSON.parse(call.body));
  });
  const config = Buffer.from(kubeconfig(api.url)).toString('base64');
  const step = await runStep({ kubeconfig: config, ...inputs }, { ...RUN, ...env });
  const writes = api.calls.filter(({ method }) => method !== 'GET');
  return { step, writes, calls: api.calls };
}

describe('when main did not finish', () => {
  test('the lock of the main step is released, by the version that was read', async () => {
    const { step, writes } = await post(OURS, STARTED);
    expect(step.code, step.log).toBe(0);
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatchObject({ path: LEASE });
    const { metadata, spec } = JSON.parse(writes[0]?.body ?? '');
    expect(metadata.resourceVersion).toBe('41');
    expect(spec.holderIdentity ?? '').toBe('');
    expect(step.log).toContain('released the lock');
  });

  test.each([
    ['another job of this run', OURS.replace('deploy', 'other')],
    ['a job of which the name only begins so', OURS.replace('deploy', 'deploy-eu')],
    ['another attempt', OURS.replace('attempts/2', 'attempts/21')],
    ['another leg of the matrix of this job', OURS.replace('0a1b2c3d', '0a1b2c3e')],
    ['another run', OURS.replace('runs/7', 'runs/70')],
    ['nobody', ''],
    ['nothing: there is no Lease', undefined],
  ])('the lock of %s is left alone', async (_, holder) => {
    const { step, writes } = await post(holder, STARTED);
    expect(step.code, step.log).toBe(0);
    expect(writes).toEqual([]);
    expect(step.log).not.toContain('released');
  });

  test.each([
    ['has not come to its lock', {}],
    ['has left something else', { STATE_lock: '' }],
    ['has left something else', { STATE_lock: 'deploy 0a1b2c3d' }],
  ])('no lock is released for a main step that %s: %j', async (_, state) => {
    const { step, calls } = await post(OURS, { STATE_main: 'started', ...state });
    expect([step.code, calls]).toEqual([0, []]);
  });

  test('the lock is released although the cluster uses up the time for cleaning up', async () => {
    const { step, writes } = await post(OURS, STARTED, {}, { silentPods: true });
    expect(step.code, step.log).toBe(0);
    expect(writes.map(({ path }) => path)).toEqual([LEASE]);
    expect(step.log).toContain('released the lock');
    expect(step.log).toContain('may be left for some minutes');
  }, 60_000);

  test.each([{ mode: 'render' }, { lock: 'false' }])(
    'a run that took none asks nothing: %j',
    async (inputs) => {
      const { step, calls } = await post(OURS, STARTED, inputs);
      expect([step.code, calls]).toEqual([0, []]);
    },
  );
});

/** A post step, with half a snapshot beside where the whole one would be. */
async function postWithHalf(env: Record<string, string>) {
  const at = await folder({ 'consul.snap.0a1b2c3d.part': 'half', 'consul.snap': 'of yesterday' });
  const inputs = { mode: 'snapshot', 'snapshot-path': join(at, 'consul.snap'), 'snapshot-plain': 'true' };
  const { step, calls } = await post(OURS, { ...env, RUNNER_TEMP: at }, inputs);
  return { step, calls, left: (await readdir(at)).sort() };
}

test('half a snapshot of a main step that was killed goes, without a lock, too', async () => {
  const { step, calls, left } = await postWithHalf({ STATE_main: 'started' });
  expect([step.code, calls, left], step.log).toEqual([0, [], ['consul.snap']]);
  expect(step.log).toContain('half of a snapshot');
  expect(step.summary).toContain('half of a snapshot');
});

test('half a snapshot is left alone by the post step of a main step that finished', async () => {
  const { left } = await postWithHalf({ STATE_main: 'finished' });
  expect(left).toEqual(['consul.snap', 'consul.snap.0a1b2c3d.part']);
});

test('when main finished, nothing is done', async () => {
  const { step, calls } = await post(OURS, { ...STARTED, STATE_main: 'finished' });
  expect([step.code, step.log, calls]).toEqual([0, '', []]);
});

test('without a run to tell locks by, nothing is done', async () => {
  const { step, calls } = await post(OURS, { ...STARTED, GITHUB_RUN_ID: '' });
  expect([step.code, calls]).toEqual([0, []]);
});

describe('what keeps the post step from cleaning up', () => {
  test.each([
    ['wrong inputs', { servers: '2' }],
    ['no cluster', { kubeconfig: Buffer.from(kubeconfig('http://127.0.0.1:9')).toString('base64') }],
  ])('cleaning up with %s is a warning, and the job does not fail', async (_, inputs) => {
    const { step } = await post(OURS, STARTED, inputs);
    expect(step.code, step.log).toBe(0);
    expect(step.log).toMatch(/^::warning::Cleaning up/m);
    expect(step.outputs).toEqual({});
  });
});
