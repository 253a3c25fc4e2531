import { expect, it } from 'vitest';
import { whilePassing } from '../../src/consul/patience.ts';
import { clientOf, type FakeAnswer, fakeConsul } from './fake-consul.ts';

/** Answers so, one after the other; the last one for good. */
async function asked(answers: (FakeAnswer | 'reset' | 'silence')[], limitMs?: number) {
  const left = [...answers];
  const fake = await fakeConsul(() => (left.length > 1 ? left.shift() : left[0]) ?? {});
  const client = clientOf(fake);
  const troubles: string[] = [];
  const patience = {
    signal: AbortSignal.timeout(10_000),
    onTrouble: (what: string) => troubles.push(what),
    ...(limitMs !== undefined && { limitMs }),
  };
  // A PUT is not repeated by the client itself.
  const answer = whilePassing(patience, (signal) => client.put('/v1/x', undefined, { signal }));
  return { fake, answer, troubles };
}

const ok: FakeAnswer = { body: true };

it.each<[string, FakeAnswer | 'reset']>([
  ['an election', { status: 500, text: 'No cluster leader' }],
  ['a leader that goes', { status: 500, text: 'leadership lost while committing log' }],
  ['a leader that is not reached', { status: 500, text: 'rpc error making call: EOF' }],
  ['a leader that has just come', { status: 500, text: 'Not ready to serve consistent reads' }],
  ['a rate limit', { status: 429, text: 'rate limit exceeded' }],
  ['a connection that breaks', 'reset'],
])('%s passes: asked again', async (_, trouble) => {
  const { answer, troubles } = await asked([trouble, ok]);
  expect((await answer).body).toBe(true);
  expect(troubles).toHaveLength(1);
});

it.each<[string, FakeAnswer]>([
  ['a denial', { status: 403, text: 'Permission denied' }],
  [
    'a denial that another server has passed on',
    { status: 500, text: 'rpc error making call: Permission denied' },
  ],
  ['a refusal', { status: 400, text: 'Bad request: EOF' }],
])('%s does not pass: thrown at once', async (_, trouble) => {
  const { fake, answer } = await asked([trouble]);
  await expect(answer).rejects.toMatchObject({ name: 'ConsulError' });
  expect(fake.requests).toHaveLength(1);
});

it('what lasts is thrown when the time is over', async () => {
  const { answer } = await asked([{ status: 500, text: 'No cluster leader' }], 300);
  await expect(answer).rejects.toMatchObject({ text: 'No cluster leader' });
});

it('silence for the whole time is told as such', async () => {
  const { answer } = await asked(['silence'], 300);
  await expect(answer).rejects.toMatchObject({ reason: 'unreachable', what: 'no answer within 0.3 s' });
});
