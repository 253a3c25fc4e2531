import { expect, test } from 'vitest';
import { holding, holdsAny } from '../../../src/consul/registrations/held-by-agent.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../fake-consul.ts';

const signal = AbortSignal.timeout(10_000);
const agent = async (answers: Record<string, FakeAnswer>) => {
  const fake = await fakeConsul(({ path }) => answers[path] ?? { status: 404, text: 'unknown' });
  return { fake, client: clientOf(fake) };
};

test.each<[string, Record<string, FakeAnswer>, boolean]>([
  ['nothing', { '/v1/agent/services': { body: {} }, '/v1/agent/checks': { body: {} } }, false],
  ['a service', { '/v1/agent/services': { body: { w: {} } }, '/v1/agent/checks': { body: {} } }, true],
  ['a check alone', { '/v1/agent/services': { body: {} }, '/v1/agent/checks': { body: { c: {} } } }, true],
  ['what ACLs deny', { '/v1/agent/services': { status: 403, text: 'Permission denied' } }, true],
  [
    'what ACLs filter out',
    { '/v1/agent/services': { body: {}, headers: { 'X-Consul-Results-Filtered-By-ACLs': 'true' } } },
    true,
  ],
  [
    'what ACLs hide from a request without a token',
    {
      '/v1/agent/services': { body: {}, headers: { 'X-Consul-Default-ACL-Policy': 'deny' } },
      '/v1/agent/self': { body: { Stats: { agent: { services: '1', checks: '0' } } } },
    },
    true,
  ],
])('an agent that holds %s', async (_, answers, expected) => {
  const { client } = await agent(answers);
  expect(await holdsAny(client, signal)).toBe(expected);
});

test('an agent says whether it holds a service or a check, and is always there itself', async () => {
  const { client } = await agent({
    '/v1/agent/services': { body: { w: {} } },
    '/v1/agent/checks': { body: { c: {} } },
  });
  const isHeld = await holding(client, signal);
  const held = (kind: 'node' | 'service' | 'check', id: string) => isHeld({ kind, id });
  expect([held('service', 'w'), held('check', 'c'), held('node', '')]).toEqual([true, true, true]);
  expect([held('service', 'c'), held('check', 'w')]).toEqual([false, false]);
});
