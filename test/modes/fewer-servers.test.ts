import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/failure.ts';
import type { PlannedObject } from '../../src/kubernetes/plan.ts';
import { checkFewerServers } from '../../src/modes/fewer-servers.ts';
import { workload } from '../change/fixture.ts';
import { clientOf, fakeConsul } from '../consul/fake-consul.ts';
import { answering, healthyAnswers } from '../consul/server-answers.ts';
import { pod } from '../rollout/fixture.ts';
import { startRun } from './fixture.ts';

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
      [planned(before, after)],
      {
        untilSynced: async () => undefined,
        pods: () => [0, 1, 2].map((at) => pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` })),
      },
      { client: ({ name }) => clientOf(fake, name) },
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

describe('fewer servers', () => {
  test('that keep the quorum may be', async () => {
    const { check } = await start();
    expect(await check(3, 2)).toBeUndefined();
  });

  test.each([
    [3, 3],
    [3, 5],
  ])('are not asked about from %i to %i', async (before, after) => {
    const { check, fake } = await start();
    expect(await check(before, after)).toBeUndefined();
    expect(fake.requests).toEqual([]);
  });

  test('that take the quorum with them are refused at once, with the way out', async () => {
    const { check, fake } = await start();
    // A minute of patience is not used: everybody is there, so it does not get better.
    const failure = await check(3, 1, 60_000);
    expect(failure).toMatchObject({
      reason: 'quorum',
      where: 'StatefulSet/consul-server',
      what: 'without consul-server-2, consul-server-1 only 1 of 3 voters would be left, and a quorum is 2: no server could lead, for good',
    });
    expect(failure?.hint).toContain('Nothing was changed. Set `servers: 3` again.');
    expect(failure?.hint).toContain('consul snapshot save');
    expect(fake.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('are refused where one of those that stay is down', async () => {
    const { check } = await start(withDead);
    expect(await check(3, 2)).toMatchObject({
      reason: 'quorum',
      what: expect.stringContaining('since consul-server-0 (10.0.0.1:8300) is down'),
      hint: expect.stringContaining(
        'Bring back what is down (consul-server-0 (10.0.0.1:8300)) and run again',
      ),
    });
  });

  test('wait for one that is coming back, and for an election', async () => {
    const { check, lines } = await start((answers, asked) => {
      if (asked <= 3) return leaderless(answers);
      return asked <= 6 ? withDead(answers) : answers;
    });
    expect(await check(3, 2, 20_000)).toBeUndefined();
    expect(lines.join('\n')).toContain('whether consul-server-2 may stop is not known');
  });

  test('are refused where no server knows a leader: unknown is not a yes', async () => {
    const { check } = await start(leaderless);
    expect(await check(3, 2)).toMatchObject({
      reason: 'quorum',
      what: 'whether consul-server-2 may stop is not known: consul-server-0 does not answer: it knows no leader',
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
