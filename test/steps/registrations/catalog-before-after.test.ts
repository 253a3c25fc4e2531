import { describe, expect, it, vi } from 'vitest';
import { servers, statefulSet } from '../../rollout/fixture.ts';
import { CUT, clientsWithServices, ELECTION } from './clients-with-services.ts';

const begin = { rolls: false };

describe('the catalog before and after a change', () => {
  it('is the same: the check says so', async () => {
    const { conservation, check, replace } = await clientsWithServices();
    await conservation.begin(begin);
    replace(1);
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed', expected: 'the 2 services and 0 checks of before' });
  });

  it('lacks what a replaced agent holds again, and shows it late: a warning with how late', async () => {
    const { run, conservation, check, replace, shown, instead } = await clientsWithServices();
    await conservation.begin(begin);
    replace(1);
    shown.delete('consul-client-1');
    let looks = 0;
    instead.server = (path) => {
      if (path.includes('node-services') && ++looks === 3) shown.add('consul-client-1');
      return undefined;
    };
    await conservation.end();
    expect(check()).toMatchObject({ status: 'warning' });
    expect(check()?.observed).toMatch(
      /^service web-1 \(web\) at consul-client-1 came back late, \d+\.\d s after the proof$/,
    );
    expect(run.result().warnings.join()).toContain('came back late');
  });

  it('lacks what a replaced agent does not hold: red at once', async () => {
    const { conservation, check, replace, shown, held, server } = await clientsWithServices();
    await conservation.begin(begin);
    replace(1);
    shown.delete('consul-client-1');
    held.delete('consul-client-1');
    await expect(conservation.end()).rejects.toMatchObject({
      reason: 'registrations-lost',
      details: ['service web-1 (web) at consul-client-1'],
    });
    expect(check()).toMatchObject({ status: 'failed' });
    expect(server.requests.filter(({ path }) => path.includes('node-services'))).toEqual([]);
  });

  it('lacks what was deregistered at an agent that ran on: mentioned, and no failure', async () => {
    const { conservation, check, shown, held } = await clientsWithServices();
    await conservation.begin(begin);
    shown.delete('consul-client-0');
    held.delete('consul-client-0');
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed' });
    expect(check()?.observed).toContain(
      'deregistered meanwhile, as their agents say: service web-1 (web) at consul-client-0',
    );
  });

  it('lacks what an agent that ran on still holds, so that the servers have lost it: waited for', async () => {
    const { conservation, check, shown, instead } = await clientsWithServices();
    await conservation.begin(begin);
    shown.delete('consul-client-0');
    let looks = 0;
    instead.server = (path) => {
      if (path.includes('node-services') && ++looks === 2) shown.add('consul-client-0');
      return undefined;
    };
    await conservation.end();
    expect(looks).toBeGreaterThanOrEqual(2);
    expect(check()).toMatchObject({ status: 'warning', observed: expect.stringContaining('came back late') });
  });

  it('lacks what an agent that ran on holds, and never shows it: red when all agents have compared', async () => {
    const { conservation, shown, instead } = await clientsWithServices();
    await conservation.begin(begin);
    shown.delete('consul-client-0');
    const now = performance.now();
    let later = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now + later);
    instead.server = () => {
      later += 20_000;
      return undefined;
    };
    await expect(conservation.end()).rejects.toMatchObject({ reason: 'registrations-lost' });
    vi.restoreAllMocks();
    expect(later).toBeGreaterThanOrEqual(120_000);
  });

  it('lacks what an agent does not tell of: asked again', async () => {
    const { conservation, check, shown, held, instead } = await clientsWithServices();
    await conservation.begin(begin);
    shown.delete('consul-client-0');
    held.delete('consul-client-0');
    let silent = 3;
    instead.agent = () => (silent-- > 0 ? 'reset' : undefined);
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed', observed: expect.stringContaining('deregistered') });
  });

  it('lacks what was deregistered at the successor that this run gave it to: mentioned, and no failure', async () => {
    const { conservation, check, replace, shown, held } = await clientsWithServices();
    await conservation.begin(begin);
    conservation.succeeded('client', replace(1));
    shown.delete('consul-client-1');
    held.delete('consul-client-1');
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed', observed: expect.stringContaining('deregistered') });
  });

  it('lacks what an agent had from a configuration file: that is for the configuration to say', async () => {
    const { conservation, check, replace, shown, held } = await clientsWithServices();
    await conservation.begin(begin);
    conservation.configured('consul-client-1', 'service', 'web-1');
    replace(1);
    shown.delete('consul-client-1');
    held.delete('consul-client-1');
    await conservation.end();
    expect(check()).toMatchObject({ status: 'passed' });
  });

  it('lacks what was held by an agent that is no longer wanted: a warning', async () => {
    const { conservation, check, remove, run, workloads, shown } = await clientsWithServices();
    await conservation.begin(begin);
    remove('uid-consul-client-1');
    const fewer = statefulSet({ name: 'consul-client', uid: 'clients', desired: 1 });
    workloads.observation.apply('StatefulSet', { type: 'upsert', uid: 'clients', object: fewer });
    shown.delete('consul-client-1');
    await conservation.end();
    expect(check()).toMatchObject({ status: 'warning' });
    expect(run.result().warnings.join()).toContain('no longer wanted');
  });

  it('is compared by looking through the pods a few times, however much is missing', async () => {
    const many = 300;
    const { conservation, workloads, shown, held } = await clientsWithServices(many);
    await conservation.begin(begin);
    shown.clear();
    held.clear();
    const passes = vi.spyOn(workloads.observation, 'podsOf');
    await conservation.end();
    expect(passes.mock.calls.length).toBeLessThan(10);
  });
});

describe('a catalog that cannot be read before a change', () => {
  it('is asked for again during an election', async () => {
    const { conservation, instead } = await clientsWithServices();
    let elections = 2;
    instead.server = () => (elections-- > 0 ? ELECTION : undefined);
    await conservation.begin({ rolls: true });
    expect(conservation.unknown).toBeUndefined();
    expect(conservation.catalog?.size).toBe(4);
  });

  it('is a warning where it lasts, and never skipped in silence', async () => {
    const { run, conservation, check, instead } = await clientsWithServices();
    instead.server = () => ({ status: 400, text: 'no' });
    await conservation.begin(begin);
    expect(conservation.unknown).toBeDefined();
    expect(conservation.catalog).toBeUndefined();
    await conservation.end();
    expect(check()).toMatchObject({ status: 'warning' });
    expect(run.result().warnings.join()).toContain('could not be read before the change');
  });

  it('is not waited for where no server runs and no client is replaced', async () => {
    const { conservation, server, tell } = await clientsWithServices();
    tell(...servers({ 0: { ready: false }, 1: { ready: false }, 2: { ready: false } }));
    await conservation.begin(begin);
    expect(conservation.unknown?.message).toContain('none is ready');
    expect(server.requests).toEqual([]);
  });

  it('because ACLs hide a part of it is red after the change, unless that has helped', async () => {
    const { conservation, check, instead } = await clientsWithServices();
    instead.server = (path) =>
      path === '/v1/catalog/services' ? { body: { consul: [] }, headers: CUT } : undefined;
    await conservation.begin(begin);
    expect(conservation.unknown?.reason).toBe('acl-denied');
    await expect(conservation.end()).rejects.toMatchObject({
      reason: 'acl-denied',
      hint: expect.stringContaining('service_prefix "" { policy = "read" }'),
    });
    instead.server = () => undefined;
    await conservation.end();
    expect(check()).toMatchObject({ status: 'warning' });
  });
});
