import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul } from '../consul/consul.ts';
import { put, registered } from '../consul/registration.ts';
import { eventually, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { check, deploy, killedAt, type Outcome } from '../run/action.ts';
import { address, SMALL } from '../run/scenario.ts';
import { pollServices } from '../traffic/service-poll.ts';

const SERVERS = ['consul-server-0', 'consul-server-1', 'consul-server-2'];
const CLIENTS = ['consul-client-0', 'consul-client-1'];
const ID = 'servers-registrations';

interface View {
  services: { ID: string }[];
  checks: { CheckID: string; ServiceID: string; Status: string }[];
}

describe('services that are registered at servers', () => {
  const namespace = namespaceName('move');
  const given = { ...SMALL, namespace };
  const move = { ...given, 'move-registrations': 'true' };
  const at: Record<string, string> = {};
  /** By server, what the catalog said of it before. */
  let before: Record<string, View>;
  let moved: Outcome;

  /** Asks a server for what the catalog holds of a node. */
  const view = (node: string) => registered(at['consul-server-0'] ?? '', node) as Promise<View>;
  const register = (agent: string, body: object) => put(at[agent] ?? '', '/v1/agent/service/register', body);
  const heldBy = async (agent: string) =>
    Object.keys(await consul<object>(at[agent] ?? '', '/v1/agent/services')).sort();

  /** The application of all of them is an agent's own HTTP server: an address that every pod can reach. */
  async function registerAll(): Promise<void> {
    const app = at['consul-client-1'];
    const http = { HTTP: `http://${app}:8500/v1/status/leader`, Interval: '1s', Timeout: '10s' };
    const web = {
      ID: 'web-1',
      Name: 'web',
      Tags: ['a', 'b'],
      Meta: { owner: 'team ä' },
      Address: app,
      Port: 8500,
      TaggedAddresses: { wan: { Address: '203.0.113.9', Port: 80 } },
      Weights: { Passing: 3, Warning: 2 },
      EnableTagOverride: true,
      Checks: [
        { Name: 'answers', Notes: 'n', Header: { 'X-Of': ['test'] }, ...http },
        { CheckID: 'web-port', Name: 'port', TCP: `${app}:8500`, Interval: '2s', Timeout: '10s' },
      ],
    };
    await register('consul-server-0', web);
    // As it ends up behind a Service that balances: at each agent in turn.
    await register('consul-server-1', web);
    const db = (ip: string | undefined) => ({
      ID: 'db',
      Name: 'db',
      Address: ip,
      Port: 8500,
      Check: { TCP: `${ip}:8500`, Interval: '1s', Timeout: '10s' },
    });
    await register('consul-server-1', db(at['consul-client-0']));
    await register('consul-server-2', db(at['consul-client-1']));
    // Half-moved by a run that was killed.
    const half = { ID: 'half', Name: 'half', Address: app, Port: 8500, Checks: [{ CheckID: 'h', ...http }] };
    await register('consul-server-0', half);
    await register('consul-client-1', half);
    await register('consul-server-2', { Name: 'plain', Address: app, Port: 1, Meta: { no: 'check' } });
    await register('consul-server-2', { Name: 'repaired', Address: app, Port: 1, Check: { ...http } });
    const reason = 'by%20hand';
    await put(
      at['consul-server-2'] ?? '',
      `/v1/agent/service/maintenance/repaired?enable=true&reason=${reason}`,
    );
    // So long it may take until its check has run at a client.
    await register('consul-server-1', {
      Name: 'slow',
      Address: app,
      Port: 8500,
      Check: { CheckID: 'slow', ...http, Interval: '5s' },
    });
    // What cannot move.
    await register('consul-server-0', {
      Name: 'told',
      Address: app,
      Check: { TTL: '1h', Status: 'passing' },
    });
    await register('consul-server-1', { Name: 'nowhere', Port: 80 });
    await put(at['consul-server-2'] ?? '', '/v1/agent/check/register', {
      ID: 'disk',
      Name: 'disk',
      TTL: '1h',
      Status: 'passing',
    });
  }

  beforeAll(async () => {
    const outcome = await deploy(given);
    expect(outcome.code, outcome.log).toBe(0);
    expect(check(outcome, ID)).toMatchObject({ status: 'passed', observed: 'none' });
    for (const name of [...SERVERS, ...CLIENTS]) at[name] = await address(namespace, name);
    await registerAll();
    before = await eventually('all checks to pass', 30_000, async () => {
      const views = await Promise.all(SERVERS.map(async (name) => [name, await view(name)] as const));
      const failing = views.flatMap(([, { checks }]) => checks.filter(({ Status }) => Status !== 'passing'));
      const only = failing.map(({ CheckID }) => CheckID).join() === '_service_maintenance:repaired';
      return only ? Object.fromEntries(views) : undefined;
    });
  });
  afterAll(() => removeNamespace(namespace));

  it('are named by a verification, with what they cost, and do not make it red', async () => {
    const outcome = await deploy({ mode: 'verify', namespace, timeout: '3m', 'stable-for': '2s' });
    expect(outcome.code, outcome.log).toBe(0);
    const { status, observed } = check(outcome, ID);
    expect(status).toBe('warning');
    expect(observed).toMatch(/^10 services and 12 checks at 3 servers: service half \(consul-server-0\)/);
    expect(observed).toContain('they execute 7.2 checks a second, and anti-entropy compares 22 entries');
    expect(observed).toContain('move-registrations');
    expect(outcome.summary).toContain('Servers hold no registrations');
  });

  it('stay where they are when no client can take them, and that is told as red', async () => {
    for (const name of CLIENTS) await put(at[name] ?? '', '/v1/agent/maintenance?enable=true');
    // Nothing at a client counts as healthy now, not what is registered for the proof either.
    const outcome = await deploy({ ...move, 'smoke-service': 'false', 'smoke-dns': 'false' });
    for (const name of CLIENTS) await put(at[name] ?? '', '/v1/agent/maintenance?enable=false');
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({ 'failure-reason': 'not-moved', changed: 'false' });
    expect(outcome.report?.failure?.what).toMatch(/every client that is ready has a check of its own/);
    expect(outcome.summary).toContain('Consul is proven, and services are still at its servers');
    expect(await Promise.all(SERVERS.map(view))).toEqual(Object.values(before));
    expect(await Promise.all(CLIENTS.map(heldBy))).toEqual([[], ['half']]);
  });

  it('move to clients, and at no moment is there no healthy instance in the catalog or in DNS, though a run is killed', async () => {
    const servers = SERVERS.map((name) => at[name] ?? '');
    const names = ['web', 'db', 'half', 'plain', 'slow'];
    const { value, poll } = await pollServices(servers, names, async () => {
      // Without a lock, which the next run would wait for until it has expired.
      await killedAt({ ...move, lock: 'false', 'log-level': 'debug' }, 'move: slow: registered at');
      return deploy(move);
    });
    moved = value;
    expect(moved.code, moved.log).toBe(0);
    console.log(`move: ${poll.rounds} rounds of ${servers.length * names.length * 2} questions`);
    expect(poll.rounds).toBeGreaterThan(20);
    expect(poll.empty).toEqual([]);
    expect(moved.outputs).toMatchObject({ result: 'success', changed: 'true' });
    expect(moved.report?.left).toMatch(/\d services? moved from servers to clients/);
  });

  it('are held by clients as they were, maintenance among it, and by no server', async () => {
    expect(await Promise.all(SERVERS.map(heldBy))).toEqual([['told'], ['nowhere'], []]);
    const clients = await Promise.all(CLIENTS.map(heldBy));
    // Two instances under one id, which one agent cannot hold.
    expect(clients.flat().sort()).toEqual(['db', 'db', 'half', 'plain', 'repaired', 'slow', 'web-1']);
    expect(clients[1]).toContain('half');
    const now = await Promise.all(CLIENTS.map(view));
    const stays = (id: string) => ['told', 'nowhere', ''].includes(id);
    const all = (views: View[]) => {
      const services = views.flatMap(({ services }) => services.filter(({ ID }) => !stays(ID)));
      const checks = views.flatMap(({ checks }) => checks.filter(({ ServiceID }) => !stays(ServiceID)));
      // web-1 was at two servers.
      return [...new Set([...services, ...checks].map((one) => JSON.stringify(one)))].sort();
    };
    const wanted = all(Object.values(before));
    expect(wanted.length).toBeGreaterThan(10);
    expect(
      await eventually('the checks as they were', 20_000, async () =>
        JSON.stringify(all(now)) === JSON.stringify(wanted) ? all(now) : undefined,
      ).catch(() => all(now)),
    ).toEqual(wanted);
  });

  it('that cannot move are named with the reason, and stay', async () => {
    const { status, observed } = check(moved, ID);
    expect(status).toBe('warning');
    expect(observed).toMatch(/\d services? moved from servers to clients, and these were not$/);
    const told = moved.report?.warnings.filter((line) => line.startsWith('Not moved: ')).sort();
    expect(told).toEqual([
      expect.stringMatching(/^Not moved: check disk \(consul-server-2\): it is about the node/),
      expect.stringMatching(/^Not moved: service nowhere \(consul-server-1\): it has no address of its own/),
      expect.stringMatching(/^Not moved: service told \(consul-server-0\): its application reports/),
    ]);
    expect((await view('consul-server-2')).checks.map(({ CheckID }) => CheckID)).toEqual(['disk']);
  });

  it('are not touched by the next run, and nobody is warned once the servers hold nothing', async () => {
    const clients = await Promise.all(CLIENTS.map(view));
    for (const [agent, path] of [
      ['consul-server-0', 'service/deregister/told'],
      ['consul-server-1', 'service/deregister/nowhere'],
      ['consul-server-2', 'check/deregister/disk'],
    ] as const) {
      await put(at[agent] ?? '', `/v1/agent/${path}`);
    }
    const again = await deploy(move);
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
    expect(check(again, ID)).toMatchObject({ status: 'passed', observed: 'none' });
    expect(again.log).not.toContain('Not moved');
    expect(await Promise.all(CLIENTS.map(view))).toEqual(clients);
    const verified = await deploy({ mode: 'verify', namespace, timeout: '3m', 'stable-for': '2s' });
    expect(verified.code, verified.log).toBe(0);
    expect(check(verified, ID)).toMatchObject({ status: 'passed', observed: 'none' });
  });
});
