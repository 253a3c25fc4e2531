import { expect, it } from 'vitest';
import { join } from '../../../src/consul/agent/join.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';

const signal = new AbortController().signal;

it('asks the agent to join an address', async () => {
  const fake = await fakeConsul(() => ({ body: null }));
  await join(clientOf(fake), '10.0.0.7', signal);
  expect(fake.requests).toMatchObject([{ method: 'PUT', path: '/v1/agent/join/10.0.0.7' }]);
});

it('says why it was refused', async () => {
  const fake = await fakeConsul(() => ({ status: 500, text: 'Member part of wrong datacenter' }));
  await expect(join(clientOf(fake), '10.0.0.7', signal)).rejects.toThrow(/wrong datacenter/);
});
