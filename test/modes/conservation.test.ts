import { describe, expect, it } from 'vitest';
import type { ConsulClient } from '../../src/consul/client.ts';
import { render } from '../../src/manifests/render.ts';
import { Conservation } from '../../src/modes/conservation.ts';
import { Workloads } from '../../src/modes/workloads.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../consul/fake-consul.ts';
import { pod, servers, statefulSet } from '../rollout/fixture.ts';
import { startRun } from './fixture.ts';

const NODES = ['consul-client-0', 'consul-client-1'];

/** A catalog over real HTTP in which each client has one service, as long as nobody takes it out. */
async function catalog(leader = '10.0.0.1:8300') {
  const holding = new Set(NODES);
  /** What happens before a node is looked at again. */
  const second = { look: (_node: string) => {} };
  const instance = (Node: string) => ({ Node, ServiceID: 'web-1', ServiceName: 'web' });
  const fake = await fakeConsul(({ path }): FakeAnswer => {
    if (path === '/v1/status/leader') return { body: leader };
    if (path === '/v1/catalog/nodes') return { body: NODES.map((Node) => ({ Node })) };
    if (path === '/v1/health/state/any' || path.startsWith('/v1/health/node/')) return { body: [] };
    if (path === '/v1/catalog/services') return { body: holding.size > 0 ? { web: [] } : {} };
    if (path === '/v1/catalog/service/web') return { body: [...holding].map(instance) };
    const node = path.replace('/v1/catalog/node-services/', '');
    second.look(node);
    const Services = holding.has(node) ? [{ ID: 'web-1', Service: 'web' }] : [];
    return { body: { Node: { Node: node }, Services } };
  });
  return { holding, second, fake, client: clientOf(fake) };
}

const client = (at: number, change: Partial<PodView> = {}) =>
  pod(`consul-client-${at}`, { ownerUid: 'clients', ...change });

function observed(asked: ConsulClient) {
  const { run } = startRun({ clientReplicas: 2 });
  const workloads = new Workloads(run, render(run.config));
  const { observation } = workloads;
  const clientSet = statefulSet({ name: 'consul-client', uid: 'clients', desired: 2 });
  for (const set of [statefulSet(), clientSet]) {
    observation.apply('StatefulSet', { type: 'upsert', uid: set.uid, object: set });
  }
  const tell = (...pods: PodView[]) => {
    for (const one of pods) observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
  };
  const remove = (uid: string) => observation.apply('Pod', { type: 'delete', uid });
  tell(...servers(), client(0), client(1));
  const conservation = new Conservation(run, workloads, { client: () => asked }, []);
  const check = () => run.result().checks.find(({ id }) => id === 'registrations');
  /** Its pod is another one. */
  const replace = (at: number) => {
    remove(`uid-consul-client-${at}`);
    tell(client(at, { uid: `new-${at}` }));
  };
  return { run, workloads, conservation, check, remove, replace };
}

describe('the catalog before and after a change', () => {
  it('is the same: the check says so', async () => {
    const { client: asked } = await catalog();
    const { conservation, check, replace } = observed(asked);
    await conservation.begin();
    replace(1);
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed', expected: 'the 2 services and 0 checks of before' });
  });

  it('lacks what an agent held whose pod was replaced, and shows it late: a warning with how late', async () => {
    const { client: asked, holding, second } = await catalog();
    const { run, conservation, check, replace } = observed(asked);
    await conservation.begin();
    replace(1);
    holding.delete('consul-client-1');
    let looks = 0;
    second.look = (node) => {
      looks += 1;
      if (looks === 2) holding.add(node);
    };
    await conservation.end();
    expect(looks).toBe(2);
    expect(check()).toMatchObject({ status: 'warning' });
    expect(check()?.observed).toMatch(
      /^service web-1 \(web\) at consul-client-1 came back late, \d+\.\d s after the proof$/,
    );
    expect(run.result().warnings.join()).toContain('came back late');
  });

  it('lacks what was deregistered at an agent that ran on: mentioned, and no failure', async () => {
    const { client: asked, holding } = await catalog();
    const { conservation, check } = observed(asked);
    await conservation.begin();
    holding.delete('consul-client-0');
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed' });
    expect(check()?.observed).toContain('not touched: service web-1 (web) at consul-client-0');
  });

  it('lacks what an agent had from a configuration file: that is for the configuration to say', async () => {
    const { client: asked, holding } = await catalog();
    const { conservation, check, replace } = observed(asked);
    await conservation.begin();
    conservation.configured('consul-client-1', 'service', 'web-1');
    replace(1);
    holding.delete('consul-client-1');
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed' });
  });

  it('lacks what was held by an agent that is no longer wanted: a warning', async () => {
    const { client: asked, holding } = await catalog();
    const { conservation, check, remove, run, workloads } = observed(asked);
    await conservation.begin();
    remove('uid-consul-client-1');
    const fewer = statefulSet({ name: 'consul-client', uid: 'clients', desired: 1 });
    workloads.observation.apply('StatefulSet', { type: 'upsert', uid: 'clients', object: fewer });
    holding.delete('consul-client-1');
    await conservation.end();
    expect(check()).toMatchObject({ status: 'warning' });
    expect(run.result().warnings.join()).toContain('no longer wanted');
  });

  it('was not to be had without a leader: nothing is compared, and nothing waited for', async () => {
    const { client: asked, fake } = await catalog('');
    const { conservation, check } = observed(asked);
    await conservation.begin();
    await conservation.end();
    expect(check()).toMatchObject({
      status: 'skipped',
      observed: expect.stringContaining('there was no leader'),
    });
    expect(fake.requests).toHaveLength(1);
  });
});
