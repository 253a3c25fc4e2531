import { expect, test } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import { checkPeerings } from '../../../src/steps/preflight/peerings.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../../consul/fake-consul.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

/** One server over real HTTP that answers this to the question for its peerings. */
async function checked(...answers: FakeAnswer[]): Promise<Failure | undefined> {
  const fake = await fakeConsul(({ path }) => {
    if (path !== '/v1/peerings') return { status: 404, text: 'not asked for' };
    return answers.length > 1 ? (answers.shift() as FakeAnswer) : (answers[0] as FakeAnswer);
  });
  const { run } = startRun();
  const workloads = { pods: () => [pod('consul-server-0', { ip: '10.0.0.1' })] };
  return checkPeerings(
    run,
    { workloads, agents: { client: ({ name }) => clientOf(fake, name) } },
    2_000,
  ).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
}

// The words are those of Consul 1.22.7.
const turnedOff = 'peering must be enabled to use this endpoint';

test.each<[string, FakeAnswer]>([
  ['has none', { body: [] }],
  ['has peering turned off', { status: 500, text: turnedOff }],
])('servers of a cluster that %s may move to the addresses of Services', async (_, answer) => {
  expect(await checked(answer)).toBeUndefined();
});

test('an election is waited for', async () => {
  expect(await checked({ status: 500, text: 'No cluster leader' }, { body: [] })).toBeUndefined();
});

test('clusters that this one is peered with are named before anything is changed', async () => {
  const body = [
    { Name: 'west', State: 'ACTIVE' },
    { Name: 'east', State: 'PENDING' },
  ];
  expect(await checked({ body })).toMatchObject({
    reason: 'unfit-cluster',
    what: expect.stringContaining('peered with east, west'),
    hint: expect.stringContaining('Nothing was changed. Keep `server-addresses: pod`'),
  });
});

test.each<[string, FakeAnswer]>([
  ['ACLs deny the question', { status: 403, text: 'Permission denied' }],
  ['there is no leader for all the time', { status: 500, text: 'No cluster leader' }],
  ['the answer is no list', { body: null }],
])('peerings are not known where %s, and that is refused', async (_, answer) => {
  expect(await checked(answer)).toMatchObject({
    reason: 'unfit-cluster',
    what: expect.stringContaining('is not known'),
  });
});
