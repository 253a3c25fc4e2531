import { expect, test } from 'vitest';
import { serviceIndexChanges } from '../../../src/consul/quorum/server-changes.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../fake-consul.ts';

const at = (index: number): FakeAnswer => ({ body: [], headers: { 'X-Consul-Index': String(index) } });

/** Answers in turn; ends when it is asked for more. Gives the index that each request carried. */
async function edges(answers: (FakeAnswer | 'reset')[]) {
  const stop = new AbortController();
  const fake = await fakeConsul(() => {
    const answer = answers.shift();
    if (!answer) stop.abort(new Error('over'));
    return answer ?? 'silence';
  });
  let edges = 0;
  const error = await (async () => {
    for await (const _ of serviceIndexChanges(clientOf(fake), stop.signal)) edges += 1;
  })().catch((thrown) => thrown);
  return {
    edges,
    error,
    asked: fake.requests.map(({ query }) => query.get('index')),
    first: fake.requests[0],
  };
}

test('one edge at the start, one for each change, none for a wait that ran out', async () => {
  const { edges: seen, asked, first, error } = await edges([at(5), at(5), at(8)]);
  expect(first?.path).toBe('/v1/health/service/consul');
  expect(first?.query.has('stale')).toBe(true);
  expect(seen).toBe(2);
  expect(asked).toEqual([null, '5', '5', '8']);
  expect(error.message).toBe('over');
});

test('an index that goes backwards starts again', async () => {
  const { asked, edges: seen } = await edges([at(90), at(3), at(3)]);
  expect(asked).toEqual([null, '90', null, '3']);
  expect(seen).toBe(2);
});

test('an index of 0 is asked as 1, which can block', async () => {
  const { asked } = await edges([at(0)]);
  expect(asked).toEqual([null, '1']);
});

test('no leader is asked again', async () => {
  const { asked, edges: seen } = await edges([{ status: 500, text: 'No cluster leader' }, at(4)]);
  expect(seen).toBe(1);
  expect(asked).toEqual([null, null, '4']);
});

test('after a server was gone there is an edge, changed or not', async () => {
  // The client itself asks once more after a reset, hence two.
  const { edges: seen, asked } = await edges([at(4), 'reset', 'reset', at(4)]);
  expect(seen).toBe(2);
  expect(asked).toEqual([null, '4', '4', null, '4']);
});

test('403 is final', async () => {
  const { error } = await edges([{ status: 403, text: 'ACL not found' }]);
  expect(error).toMatchObject({ name: 'ConsulError', status: 403 });
});
