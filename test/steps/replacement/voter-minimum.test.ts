import { describe, expect, test } from 'vitest';
import { checkVoterMinimum, keepVoters } from '../../../src/steps/replacement/voter-minimum.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../../consul/fake-consul.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

/** Autopilot's settings over real HTTP; `answers` come before them, one for each request. */
async function start(
  MinQuorum: number,
  answers: FakeAnswer[] = [],
  change: Parameters<typeof startRun>[0] = {},
) {
  let settings = { CleanupDeadServers: true, MinQuorum, ModifyIndex: 9 };
  const fake = await fakeConsul(({ method, body, query }) => {
    const first = answers.shift();
    if (first) return first;
    if (method === 'GET') return { body: settings };
    if (query.get('cas') !== String(settings.ModifyIndex)) return { body: false };
    settings = { ...JSON.parse(body), ModifyIndex: settings.ModifyIndex + 1 };
    return { body: true };
  });
  const { run } = startRun(change);
  const parts = (servers: number) => ({
    workloads: {
      pods: () => [0, 1, 2, 3, 4].map((at) => pod(`consul-server-${at}`)),
      serverNames: () => Array.from({ length: servers }, (_, at) => `consul-server-${at}`),
    },
    agents: { client: ({ name }: { name: string }) => clientOf(fake, name) },
  });
  const keep = (servers: number, signal = run.signal) => keepVoters(run, parts(servers), signal);
  const check = async (servers: number) => {
    await checkVoterMinimum(run, parts(servers));
    return run.result().checks.find(({ id }) => id === 'servers-voter-minimum');
  };
  return { fake, run, keep, check, minimum: () => settings.MinQuorum };
}

const puts = ({ requests }: Awaited<ReturnType<typeof fakeConsul>>) =>
  requests.filter(({ method }) => method === 'PUT').length;

describe('a run has autopilot keep as many voters as there are servers', () => {
  test.each([
    ['after growth', 1, 3],
    ['after a shrink, or it would keep the dead', 5, 3],
    ['also where it never had a minimum', 0, 3],
  ])('%s', async (_, before, servers) => {
    const { keep, minimum } = await start(before);
    await keep(servers);
    expect(minimum()).toBe(servers);
  });

  test('and writes nothing where autopilot does so already', async () => {
    const { keep, fake } = await start(3);
    await keep(3);
    expect(puts(fake)).toBe(0);
  });

  test('except where a fragment of the user sets another number', async () => {
    const serverConfig = { format: 'json', text: '{"autopilot": {"min_quorum": 2}}' } as const;
    const { keep, fake } = await start(2, [], { serverConfig });
    await keep(3);
    expect(fake.requests).toEqual([]);
  });

  test('once the election is over, and after somebody else has written', async () => {
    const election = { status: 500, text: 'No cluster leader' };
    const raced = [{ body: { MinQuorum: 1, ModifyIndex: 4 } }, { body: false }];
    const gone = { status: 500, text: 'rpc error getting client: failed to get conn: no route to host' };
    const { keep, minimum, run } = await start(1, [election, ...raced, gone]);
    await keep(3);
    expect(minimum()).toBe(3);
    expect(run.known.warnings).toEqual([]);
  });

  test('or warns that autopilot could not be told to', async () => {
    const { keep, run } = await start(1, [{ status: 403, text: 'Permission denied' }]);
    await keep(3);
    expect(run.known.warnings).toEqual([
      expect.stringContaining("Autopilot's MinQuorum could not be set to 3, the number of servers"),
    ]);
  });

  test('until the servers are replaced, and then says nothing', async () => {
    const { keep, run } = await start(1, Array(100).fill({ status: 500, text: 'No cluster leader' }));
    await keep(3, AbortSignal.timeout(50));
    expect(run.known.warnings).toEqual([]);
  });
});

describe('a verification of how many voters autopilot keeps', () => {
  test.each([
    ['as many as there are servers', 3, 'passed', '3 (MinQuorum)'],
    ['too few', 1, 'warning', 'may remove a server that only restarts'],
    ['too many', 5, 'warning', 'keeps servers that are gone for good'],
  ])('finds %s', async (_, minimum, status, observed) => {
    const { check, fake } = await start(minimum);
    expect(await check(3)).toMatchObject({ status, observed: expect.stringContaining(observed) });
    expect(puts(fake)).toBe(0);
  });

  test('is a warning where it may not be read', async () => {
    const { check } = await start(3, [{ status: 403, text: 'Permission denied' }]);
    expect(await check(3)).toMatchObject({
      status: 'warning',
      observed: expect.stringMatching(/^not known: .*403/),
    });
  });

  test('is left out where a fragment of the user sets the number', async () => {
    const serverConfig = { format: 'json', text: '{"autopilot": {"min_quorum": 2}}' } as const;
    const { check } = await start(2, [], { serverConfig });
    expect(await check(3)).toBeUndefined();
  });
});
