import { expect, it } from 'vitest';
import { raiseMinQuorum, readMinQuorum, setMinQuorum } from '../../../src/consul/quorum/min-quorum.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';

const CONFIGURATION = {
  CleanupDeadServers: true,
  LastContactThreshold: '200ms',
  ServerStabilizationTime: '10s',
  CreateIndex: 4,
  ModifyIndex: 9,
};

const SIGNAL = () => AbortSignal.timeout(10_000);

async function raised(MinQuorum: number, taken = true) {
  const fake = await fakeConsul(({ method }) => {
    return { body: method === 'PUT' ? taken : { ...CONFIGURATION, MinQuorum } };
  });
  const changed = await raiseMinQuorum(clientOf(fake), 3, AbortSignal.timeout(5_000));
  return { changed, put: fake.requests.find(({ method }) => method === 'PUT') };
}

it('sets what a cluster that formed with other settings lacks, and nothing else', async () => {
  const { changed, put } = await raised(0);
  expect(changed).toBe(true);
  expect(put?.query.get('cas')).toBe('9');
  expect(JSON.parse(put?.body ?? '')).toEqual({
    CleanupDeadServers: true,
    LastContactThreshold: '200ms',
    ServerStabilizationTime: '10s',
    MinQuorum: 3,
  });
});

it('leaves alone what is enough, or more', async () => {
  expect(await raised(3)).toEqual({ changed: false, put: undefined });
  expect(await raised(5)).toEqual({ changed: false, put: undefined });
});

it('yields to somebody who sets it at the same time', async () => {
  expect((await raised(0, false)).changed).toBe(false);
});

it.each([
  ['same', 3, true, undefined],
  ['set', 5, true, 3],
  ['set', 0, true, 3],
  ['raced', 5, false, 3],
])('is %s where it was %i and the answer is %s', async (result, found, taken, wanted) => {
  const fake = await fakeConsul(({ method }) => ({
    body: method === 'PUT' ? taken : { ...CONFIGURATION, MinQuorum: found },
  }));
  expect(await setMinQuorum(clientOf(fake), 3, SIGNAL())).toBe(result);
  const put = fake.requests.find(({ method }) => method === 'PUT');
  expect(put && JSON.parse(put.body ?? '').MinQuorum).toBe(wanted);
});

it('is read, and is none where nothing is set', async () => {
  const set = await fakeConsul(() => ({ body: { ...CONFIGURATION, MinQuorum: 5 } }));
  expect(await readMinQuorum(clientOf(set), SIGNAL())).toBe(5);
  const unset = await fakeConsul(() => ({ body: CONFIGURATION }));
  expect(await readMinQuorum(clientOf(unset), SIGNAL())).toBe(0);
});
