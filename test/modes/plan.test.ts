import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../src/change/ownership.ts';
import type { Step } from '../../src/change/step.ts';
import type { Config } from '../../src/config/config.ts';
import { Failure } from '../../src/failure.ts';
import { deployMode } from '../../src/modes/deploy.ts';
import { planMode } from '../../src/modes/plan.ts';
import { redactResult } from '../../src/report/redact.ts';
import { asApproved, describePlan } from '../../src/steps/plan/approval.ts';
import { configMap, managed, stored, workload } from '../change/fixture.ts';
import type { Call, FakeServer } from '../kubernetes/fake-server.ts';
import { kubeconfig } from '../kubernetes/fake-server.ts';
import { type ClusterShape, startApi, startRun } from '../session/fixture.ts';

const SMALL: Partial<Config> = { serverStorage: { kind: 'ephemeral' }, clients: 'none', ui: false };
const ELSE = `sha256:${'0'.repeat(64)}`;

async function start(mode: 'plan' | 'deploy', shape: ClusterShape, change: Partial<Config> = {}) {
  const api = await startApi(shape);
  const { run } = startRun({
    ...SMALL,
    mode,
    kubeconfig: { kind: 'inline', yaml: kubeconfig(api.url) },
    ...change,
  });
  const work = mode === 'plan' ? planMode : deployMode;
  const failure = await work(run, () => undefined).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
  return { api, run, failure };
}

/** Everything but reads, questions about permissions and dry runs. */
function writes({ calls }: FakeServer): string[] {
  const isWrite = ({ method, path, query }: Call) =>
    method !== 'GET' && query.get('dryRun') !== 'All' && !path.endsWith('/selfsubjectaccessreviews');
  return calls.filter(isWrite).map(({ method, path }) => `${method} ${path}`);
}

const FULL = { metadata: { name: 'small' }, status: { hard: { pods: '1' }, used: { pods: '1' } } };

describe('a plan', () => {
  test('of a fresh namespace creates all of it, and writes nothing', async () => {
    const { api, run, failure } = await start('plan', { namespace: undefined });
    expect(failure).toBeUndefined();
    expect(run.known.changed).toBe(true);
    expect(new Set(run.known.plan?.map(({ consequence }) => consequence))).toEqual(new Set(['create']));
    expect(run.known.plan?.find(({ kind }) => kind === 'StatefulSet')?.notes).toEqual(['starts 3 pods']);
    expect(run.known.warnings).toContain(
      'The namespace does not exist yet, so the API server could not judge what goes into it.',
    );
    expect(writes(api)).toEqual([]);
    expect(run.result()).toMatchObject({ mode: 'plan', result: 'success', left: 'Nothing was changed.' });
  });

  test('made twice has the same digest, and another one where the namespace exists', async () => {
    const digests = await Promise.all(
      [undefined, undefined, {}].map(async (namespace) => {
        const { run } = await start('plan', { namespace });
        return run.known.planDigest;
      }),
    );
    expect(digests[0]).toMatch(/^sha256:/);
    expect(digests[1]).toBe(digests[0]);
    // The namespace exists, so it is none of ours to create.
    expect(digests[2]).not.toBe(digests[0]);
  });

  test('asks for no lock and no way into pods', async () => {
    const { api } = await start('plan', {}, { lock: true });
    const asked = api.calls
      .filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'))
      .map(({ body }) => JSON.parse(body).spec.resourceAttributes)
      .map(({ verb, resource }) => `${verb} ${resource}`);
    expect(asked).toContain('patch statefulsets');
    expect(asked.filter((one) => /leases|pods|watch/.test(one))).toEqual([]);
  });

  test('is refused where the deploy would be', async () => {
    const { api, run, failure } = await start('plan', { quotas: [FULL] });
    expect(failure?.reason).toBe('unfit-cluster');
    expect(run.known.plan).toBeUndefined();
    expect(writes(api)).toEqual([]);
  });
});

test('keys that only the cluster knows are in no plan, wherever they stand in it', () => {
  const { run } = startRun();
  const old = 'bm90LWEtcmVhbC1nb3NzaXAta2V5LWF0LWFsbC1ubyE=';
  const config = (encrypt: string) => `{\n  "datacenter": "dc1",\n  "encrypt": "${encrypt}"\n}\n`;
  const live = configMap({ 'x.json': config(old), flat: `{"encrypt":"${old}","a":1}` });
  const args = (...list: string[]) => workload({ spec: { args: list, note: `uses ${old}` } });
  const steps = [
    [live, configMap({ 'x.json': config('new'), flat: '{"a":1}' })],
    [args('-encrypt', old), args('-encrypt', 'new')],
  ] as const;
  describePlan(
    run,
    steps.map(([before, after]): Step => {
      const fields = [managed(fieldsOf(before))];
      const predicted = stored(after, fields);
      return { action: 'change', desired: after, live: stored(before, fields), predicted };
    }),
    [],
  );
  const told = JSON.stringify(redactResult(run.result(), run.log.secrets));
  expect(told).not.toContain(old.slice(0, 8));
  expect(told).toContain('.data.x.json');
});

describe('a deploy that is held to a plan', () => {
  test('writes nothing where the plan is another one, not even the namespace', async () => {
    const { api, run, failure } = await start('deploy', { namespace: undefined }, { expectPlan: ELSE });
    expect(failure?.reason).toBe('plan-changed');
    expect(writes(api)).toEqual([]);
    expect(failure?.details).toEqual(
      expect.arrayContaining([
        `approved: ${ELSE}`,
        `now:      ${run.known.planDigest}`,
        'would do now: create: ConfigMap/consul-server-config',
      ]),
    );
    expect(run.known.plan?.length).toBeGreaterThan(5);
    expect(run.result().left).toBe('Nothing was changed.');
  });

  test('computes it again under the lock, and gives the lock back', async () => {
    const { api, failure } = await start('deploy', {}, { expectPlan: ELSE });
    expect(failure?.reason).toBe('plan-changed');
    const locked = writes(api);
    expect(locked.length).toBeGreaterThan(0);
    expect(locked.filter((call) => !call.includes('/leases'))).toEqual([]);
    const dryRuns = api.calls.findIndex(({ query }) => query.get('dryRun') === 'All');
    expect(api.calls.findIndex(({ method }) => method === 'POST' || method === 'PUT')).toBeLessThan(dryRuns);
  });

  test.each([
    ['conflict', ELSE, 'plan-changed'],
    ['not-owned', ELSE, 'plan-changed'],
    ['immutable-field', ELSE, 'plan-changed'],
    ['prune-limit', ELSE, 'plan-changed'],
    ['rejected', ELSE, 'rejected'],
    ['unreachable', ELSE, 'unreachable'],
    ['conflict', undefined, 'conflict'],
  ] as const)(
    'that is refused for %s, with expect-plan %s, fails for %s',
    async (reason, expectPlan, told) => {
      const { run } = startRun({ expectPlan });
      const refusal = new Failure({ reason, what: 'no', where: 'Service/a', hint: 'Do b.', details: ['c'] });
      const failure = await asApproved(run, () => Promise.reject(refusal)).catch(Failure.from);
      expect(failure.reason).toBe(told);
      expect(failure.where).toBe('Service/a');
      expect(failure.hint).toContain('Do b.');
      expect(failure.details).toContain('c');
    },
  );
});
