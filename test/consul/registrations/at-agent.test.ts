import { describe, expect, it } from 'vitest';
import { readHeld } from '../../../src/consul/catalog/entry.ts';
import { readAllOf } from '../../../src/consul/registrations/at-agent.ts';
import { readRegistrations } from '../../../src/consul/registrations/restoration.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';

const signal = () => AbortSignal.timeout(10_000);
const DENY = { 'X-Consul-Default-ACL-Policy': 'deny' };

/** An agent under ACLs that shows these services, and counts as many as the next of `counts`. */
async function agent(shown: string[], counts: number[], acls = true) {
  const left = [...counts];
  return fakeConsul(({ path }) => {
    if (path === '/v1/agent/self') {
      const services = String(left.length > 1 ? left.shift() : left[0]);
      return { body: { Stats: { agent: { services, checks: '0' } } }, headers: DENY };
    }
    const body = path === '/v1/agent/services' ? Object.fromEntries(shown.map((id) => [id, { ID: id }])) : {};
    return { body, headers: acls ? DENY : {} };
  });
}

describe('what an agent holds, asked without a token', () => {
  it('is whole where it shows as many as it counts', async () => {
    const fake = await agent(['web-1'], [1]);
    expect(await readAllOf(clientOf(fake), 'services', signal())).toEqual({ 'web-1': { ID: 'web-1' } });
  });

  it('is not known where it shows fewer than it counts', async () => {
    const fake = await agent([], [1]);
    await expect(readAllOf(clientOf(fake), 'services', signal())).rejects.toMatchObject({
      reason: 'acl-denied',
    });
    await expect(readHeld(clientOf(fake), signal())).rejects.toMatchObject({ reason: 'acl-denied' });
    await expect(readRegistrations(clientOf(fake), signal())).rejects.toMatchObject({ reason: 'acl-denied' });
  });

  it('is asked for again where something was registered between the two questions', async () => {
    const fake = await agent(['web-1'], [2, 1]);
    expect(Object.keys(await readAllOf(clientOf(fake), 'services', signal()))).toEqual(['web-1']);
  });

  it('is not counted where ACLs are off', async () => {
    const fake = await agent(['web-1'], [2], false);
    expect(Object.keys(await readAllOf(clientOf(fake), 'services', signal()))).toEqual(['web-1']);
    expect(fake.requests).toHaveLength(1);
  });
});
