import { expect, it } from 'vitest';
import type { Agents } from '../../../src/session/agents.ts';
import type { Workloads } from '../../../src/session/workloads.ts';
import { checkServerRegistrations } from '../../../src/steps/registrations/at-servers.ts';
import { clientOf, type FakeHandler, fakeConsul } from '../../consul/fake-consul.ts';
import { servers } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

async function checked(handler: FakeHandler) {
  const client = clientOf(await fakeConsul(handler));
  const { run } = startRun();
  const agents = { client: () => client } as unknown as Agents;
  const found = await checkServerRegistrations(run, {
    workloads: { pods: () => servers() } as unknown as Workloads,
    agents,
  });
  const check = run.result().checks.find(({ id }) => id === 'servers-registrations');
  return { found, check };
}

it('servers that hold nothing pass', async () => {
  const { found, check } = await checked(() => ({ body: {} }));
  expect(found).toEqual([]);
  expect(check).toMatchObject({ status: 'passed', observed: 'none' });
});

it('servers whose ACLs hide what they hold are no servers that hold nothing: a warning with the missing rights', async () => {
  const headers = { 'X-Consul-Results-Filtered-By-ACLs': 'true' };
  const { check } = await checked(() => ({ body: {}, headers }));
  expect(check).toMatchObject({
    status: 'warning',
    observed: expect.stringMatching(/^not known: .*ACLs leave something out/),
  });
});

it('a connection that breaks is tried again', async () => {
  let broken = 2;
  const { check } = await checked(() => (broken-- > 0 ? 'reset' : { body: {} }));
  expect(check).toMatchObject({ status: 'passed' });
});
