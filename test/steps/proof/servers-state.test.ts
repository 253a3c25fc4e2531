import { expect, it } from 'vitest';
import type { Agents } from '../../../src/session/agents.ts';
import { ServersState } from '../../../src/steps/proof/servers-state.ts';
import { clientOf, type FakeHandler, fakeConsul } from '../../consul/fake-consul.ts';
import { FakeStore } from '../../consul/fake-store.ts';
import { servers } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

async function state({ ready = true, instead }: { ready?: boolean; instead?: FakeHandler } = {}) {
  const store = new FakeStore();
  const fake = await fakeConsul(instead ?? store.server());
  const client = clientOf(fake);
  const { run } = startRun();
  const pods = servers({ 0: { ready }, 1: { ready }, 2: { ready } });
  const kept = new ServersState(run, { pods: () => pods }, { client: () => client } as unknown as Agents);
  const check = () => run.result().checks.find(({ id }) => id === 'servers-state');
  const keys = () => [...store.leader.entries.keys()];
  return { run, store, kept, check, keys, fake };
}

it('a key that outlives the change shows that the servers have kept their state, and is taken back', async () => {
  const { kept, check, keys, store } = await state();
  await kept.begin();
  expect(keys()).toEqual([expect.stringMatching(/^consul-deploy\/smoke\/kept-/)]);
  expect(store.sessions.size).toBe(0);
  await kept.end();
  expect(check()).toMatchObject({ status: 'passed' });
  await kept.close();
  expect(keys()).toEqual([]);
});

it('a key that is gone fails the run: the servers have lost what they held', async () => {
  const { kept, check, store } = await state();
  await kept.begin();
  store.delete(() => true);
  await expect(kept.end()).rejects.toMatchObject({ reason: 'state-lost' });
  expect(check()).toMatchObject({ status: 'failed' });
});

it('a key that is gone is a warning where the plan said so, and the inputs allowed it', async () => {
  const { run, kept, check, store } = await state();
  const change = { kind: 'StatefulSet', name: 'consul-server', fields: [], notes: [] };
  const plan = (consequence: 'data-loss' | 'rolls-pods') => {
    run.known.plan = [{ ...change, consequence } as never];
  };
  await kept.begin();
  store.delete(() => true);
  plan('data-loss');
  await kept.end();
  expect(check()).toMatchObject({ status: 'warning', observed: expect.stringContaining('allow-data-loss') });
  plan('rolls-pods');
  await expect(kept.end()).rejects.toMatchObject({ reason: 'state-lost' });
});

it('the key that outlives a change is asked for again during an election', async () => {
  const store = new FakeStore();
  const usual = store.server();
  let elections = 0;
  const { kept, check } = await state({
    instead: (request) => (elections-- > 0 ? { status: 500, text: 'No cluster leader' } : usual(request)),
  });
  elections = 1;
  await kept.begin();
  elections = 2;
  await kept.end();
  expect(check()).toMatchObject({ status: 'passed' });
});

it('a key that cannot be written is a warning: nothing is compared', async () => {
  const { run, kept, check } = await state({ instead: () => ({ status: 403, text: 'Permission denied' }) });
  await kept.begin();
  await kept.end();
  expect(check()).toMatchObject({ status: 'warning' });
  expect(run.result().warnings.join()).toContain('none could be written');
});

it('where no server is ready no key is written, and nothing is compared', async () => {
  const { kept, check, fake } = await state({ ready: false });
  await kept.begin();
  await kept.end();
  await kept.close();
  expect(check()).toBeUndefined();
  expect(fake.requests).toEqual([]);
});
