import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import { checkFewerServers, fewerServers } from '../../../src/steps/replacement/fewer-servers.ts';
import { workload } from '../../change/fixture.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';
import { answering, healthyAnswers } from '../../consul/server-answers.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const planned = (before: number, after: number): PlannedObject => {
  const predicted = workload({ replicas: after });
  const live = workload({ replicas: before });
  return { action: 'change', desired: predicted, predicted, live, force: false, unverified: false };
};

type Answers = ReturnType<typeof healthyAnswers>;

/** A cluster of three over real HTTP: every server answers so. */
async function start(change: (answers: Answers, asked: number) => Answers = (answers) => answers) {
  let asked = 0;
  const fake = await fakeConsul((request) => {
    if (request.path === '/v1/status/leader') asked += 1;
    return answering(change(healthyAnswers('consul-server-0'), asked))(request);
  });
  const { run, lines } = startRun();
  const check = (before: number, after: number, patienceMs = 0) =>
    checkFewerServers(
      run,
      fewerServers(run, [planned(before, after)]) ?? expect.fail('none will go'),
      {
        workloads: {
          untilSynced: async () => undefined,
          pods: () => [0, 1, 2].map((at) => pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` })),
        },
        agents: { client: ({ name }) => clientOf(fake, name) },
      },
      patienceMs,
    ).then(
      () => undefined,
      (error: unknown) => Failure.from(error),
    );
  return { fake, check, lines };
}

const leaderless = (answers: Answers): Answers => ({ ...answers, '/v1/status/leader': { body: '' } });
const withDead = (answers: Answers): Answers => {
  const path = '/v1/operator/autopilot/state';
  const state = structuredClone(answers[path]?.body) as { Servers: Record<string, object> };
  Object.assign(state.Servers['id-0'] ?? {}, { NodeStatus: 'failed', Healthy: false });
  return { ...answers, [path]: { body: state } };
};

describe('servers that would leave', () => {
  test('may where there is a quorum at each step', async () => {
    const { check } = await start();
    expect(await check(3, 2)).toBeUndefined();
    expect(await check(3, 1)).toBeUndefined();
  });

  test('are those of the highest ordinals, the last first', () => {
    const { run } = startRun();
    expect(fewerServers(run, [planned(5, 3)])).toMatchObject({
      leaving: ['consul-server-4', 'consul-server-3'],
      before: 5,
      after: 3,
    });
    expect(fewerServers(run, [planned(3, 3)])).toBeUndefined();
    expect(fewerServers(run, [planned(3, 5)])).toBeUndefined();
    expect(fewerServers(run, [{ ...planned(3, 1), action: 'none' }])).toBeUndefined();
  });

  test('are refused where one of those that stay is down, with what to do', async () => {
    const { check, fake } = await start(withDead);
    const failure = await check(3, 1);
    expect(failure).toMatchObject({
      reason: 'quorum',
      where: 'StatefulSet/consul-server',
      what: 'while consul-server-2, consul-server-1 leave there would be a moment with 1 of 2 voters alive, since consul-server-0 (10.0.0.1:8300) is down, and a quorum is 2: no server could lead, for good',
    });
    expect(failure?.hint).toBe(
      'Nothing was changed. Bring back what is down (consul-server-0 (10.0.0.1:8300)) and run again; until then keep `servers: 3`.',
    );
    expect(fake.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('wait for one that is coming back, and for an election', async () => {
    const { check, lines } = await start((answers, asked) => {
      if (asked <= 3) return leaderless(answers);
      return asked <= 6 ? withDead(answers) : answers;
    });
    expect(await check(3, 2, 20_000)).toBeUndefined();
    expect(lines.join('\n')).toContain('whether consul-server-2 may leave is not known');
  });

  test('are refused where no server knows a leader: unknown is not a yes', async () => {
    const { check } = await start(leaderless);
    expect(await check(3, 2)).toMatchObject({
      reason: 'quorum',
      what: 'whether consul-server-2 may leave is not known: consul-server-0 does not answer: it knows no leader',
    });
  });

  test('are refused where ACLs deny the state of Raft', async () => {
    const denied = { status: 403, text: 'Permission denied' };
    const { check } = await start((answers) => ({ ...answers, '/v1/operator/autopilot/state': denied }));
    expect(await check(3, 2)).toMatchObject({
      reason: 'quorum',
      what: expect.stringContaining('ACLs deny operator:read at consul-server-0'),
    });
  });
});
