import { describe, expect, test } from 'vitest';
import type { Config, Fault } from '../../../src/config/config.ts';
import { Failure } from '../../../src/failure.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { Role } from '../../../src/session/workloads.ts';
import { notHealed } from '../../../src/steps/chaos/not-healed.ts';
import { candidates, chooseVictim, obstacle } from '../../../src/steps/chaos/victim.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';

const pods = (role: Role, count: number, ready = () => true): PodView[] =>
  Array.from({ length: count }, (_, at) => ({
    name: `consul-${role}-${at}`,
    uid: `${role}-${at}`,
    phase: 'Running',
    ready: ready(),
    terminating: false,
    restarts: 0,
    containers: [],
    scheduled: true,
    labels: {},
  }));

const finding = (passed: boolean) =>
  ({
    id: 'quorum-tolerance',
    title: 'Failure tolerance',
    expected: '',
    observed: 'can lose 0',
    passed,
  }) as const;

function obstacleTo(servers: number, ready: number, clients: [ready: number, of: number], passed = true) {
  const counts = { unready: [], excluded: [] };
  return obstacle(
    {
      serverNames: () => pods('server', servers).map(({ name }) => name),
      verdict: (role) =>
        role === 'server'
          ? { state: 'ready', ready, desired: servers, ...counts }
          : { state: 'ready', ready: clients[0], desired: clients[1], ...counts },
    },
    { findings: [finding(passed)] },
  );
}

describe('a fault is made only where', () => {
  test.each<[string, string | undefined, string | undefined]>([
    ['all is well', obstacleTo(3, 3, [2, 2]), undefined],
    ['there are no clients', obstacleTo(5, 5, [0, 0]), undefined],
    ['no server can be lost', obstacleTo(1, 1, [2, 2]), 'a cluster of 1 cannot lose a server'],
    ['a server is missing', obstacleTo(5, 4, [2, 2]), 'only 4 of 5 servers are ready'],
    ['a client may be missing, and is', obstacleTo(3, 3, [9, 10]), 'only 9 of 10 clients are ready'],
    ['the quorum is not as it was', obstacleTo(3, 3, [2, 2], false), 'Failure tolerance: can lose 0'],
  ])('%s', (_, found, expected) => {
    expect(found).toBe(expected);
  });
});

test.each<[Fault, string, string[]]>([
  ['delete-server', 'consul-server-2', ['consul-server-1', 'consul-server-0']],
  ['delete-server', 'consul-server-0', ['consul-server-2', 'consul-server-1']],
  ['delete-leader', 'consul-server-1', ['consul-server-1']],
  ['delete-client', 'consul-server-1', ['consul-client-2', 'consul-client-1', 'consul-client-0']],
])('%s with %s in the lead', (fault, leader, expected) => {
  const found = candidates(fault, { pods: (role) => pods(role, 3) }, leader);
  expect(found.map(({ name }) => name)).toEqual(expected);
});

test('only some of many clients are asked whether they answer', () => {
  expect(candidates('delete-client', { pods: (role) => pods(role, 500) }, 'x')).toHaveLength(20);
});

describe('the pod that is deleted', () => {
  /** Agents that hold this much, and a server that knows these sessions, by the name of the agent. */
  async function chosen(
    fault: Fault,
    registered: Record<string, string[]>,
    sessions: Record<string, string[]>,
    kind: 'persistent' | 'ephemeral' = 'persistent',
  ) {
    const server = clientOf(
      await fakeConsul(({ path }) => {
        const node = path.replace('/v1/session/node/', '');
        return { body: (sessions[node] ?? []).map((Name) => ({ ID: Name, Name })) };
      }),
    );
    const found = candidates(fault, { pods: (role) => pods(role, 2) }, 'consul-server-1');
    const agents = new Map(
      await Promise.all(
        found.map(async ({ name }) => {
          const body = Object.fromEntries((registered[name] ?? []).map((id) => [id, {}]));
          return [name, clientOf(await fakeConsul(() => ({ body })), name)] as const;
        }),
      ),
    );
    const victim = await chooseVictim(
      { fault, found },
      { serverStorage: { kind } as Config['serverStorage'] },
      {
        workloads: { agentName: (_role, { name }) => name },
        agents: { client: ({ name }) => agents.get(name) ?? server },
        server,
      },
      AbortSignal.timeout(10_000),
    );
    return typeof victim === 'string' ? victim : victim.name;
  }

  test.each<[string, Parameters<typeof chosen>, string | RegExp]>([
    [
      'is a client that holds nothing',
      ['delete-client', { 'consul-client-1': ['web'] }, {}],
      'consul-client-0',
    ],
    [
      'is a client without a session',
      ['delete-client', {}, { 'consul-client-1': ['a lock'] }],
      'consul-client-0',
    ],
    [
      'is none where each client holds something',
      ['delete-client', { 'consul-client-1': ['web'] }, { 'consul-client-0': ['a lock'] }],
      /^each of 2 clients holds registrations or sessions/,
    ],
    [
      'may have sessions of this action',
      ['delete-client', {}, { 'consul-client-1': ['consul-deploy x'] }],
      'consul-client-1',
    ],
    [
      'is a server with a volume, whatever is registered there',
      ['delete-leader', { 'consul-server-1': ['web'] }, {}],
      'consul-server-1',
    ],
    [
      'is no server without a volume where something is registered',
      ['delete-leader', { 'consul-server-1': ['web'] }, {}, 'ephemeral'],
      /holds registrations/,
    ],
    [
      'is no server with a session',
      ['delete-leader', {}, { 'consul-server-1': ['a lock'] }],
      /^consul-server-1 holds sessions/,
    ],
  ])('%s', async (_, parameters, expected) => {
    const found = await chosen(...parameters);
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatch(expected);
  });
});

describe('what has not healed', () => {
  test('is told with the cause that the diagnosis found', () => {
    const cause = new Failure({ reason: 'storage', what: 'no volume', where: 'Pod/a', hint: 'Mend it.' });
    expect(notHealed('a', cause, [])).toMatchObject({
      reason: 'not-healed',
      what: 'a was deleted, and the cluster did not heal: no volume',
      where: 'Pod/a',
      hint: 'Mend it.',
      details: ['cause: storage'],
    });
  });

  test('is told with what is missing where nobody knows why', () => {
    const failure = notHealed('a', 'Voters: a is not a voter', ['Voters: expected 3']);
    expect(failure).toMatchObject({ reason: 'not-healed', where: 'Pod/a', details: ['Voters: expected 3'] });
  });

  test('an API server that is away says nothing of the cluster', () => {
    const away = new Failure({ reason: 'unreachable', what: 'no answer' });
    expect(notHealed('a', away, [])).toBe(away);
  });
});
