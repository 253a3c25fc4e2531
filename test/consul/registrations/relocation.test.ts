import { describe, expect, it } from 'vitest';
import type { Move } from '../../../src/consul/registrations/move.ts';
import { failingNodes, relocate } from '../../../src/consul/registrations/relocation.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../fake-consul.ts';

type Json = Record<string, unknown>;

interface Held {
  service: Json;
  checks: Json[];
}

/** What says that it was this action that registered it. */
const MARK = 'moved-by-consul-deploy';
const service = { ID: 'web-1', Service: 'web', Address: '10.0.0.9', Port: 80, ContentHash: 'h' };
const check = {
  CheckID: 'c',
  ServiceID: 'web-1',
  Name: 'n',
  Type: 'http',
  Interval: '1s',
  Status: 'passing',
};
const move: Move = {
  id: 'web-1',
  name: 'web',
  definition: {
    ID: 'web-1',
    Name: 'web',
    Address: '10.0.0.9',
    Port: 80,
    Checks: [{ CheckID: 'c', HTTP: 'x' }],
  },
  maintenance: undefined,
  settleMs: 10_000,
};

/**
 * A server and two clients over HTTP, and the catalog of what they hold. At a client the check passes after so many
 * looks at the catalog.
 */
async function cluster({ passesAfter = 2, refuses = false } = {}) {
  const held: Record<string, Record<string, Held>> = {
    s: { 'web-1': { service, checks: [check] } },
    a: {},
    b: {},
  };
  /** What was written, by agent, and what the catalog showed. */
  const log: string[] = [];
  let looks = 0;
  let hidden = '';
  let refusing = '';
  let onLook = () => {};
  let onWrite = (_line: string) => {};

  const answer = (agent: string, method: string, path: string, body: string): FakeAnswer => {
    const own = held[agent] ?? {};
    const line = `${agent} ${path.replace('/v1/agent/', '')}`;
    if (method === 'PUT') log.push(line);
    if (path.startsWith('/v1/agent/service/deregister/')) {
      const known = own['web-1'] !== undefined;
      delete own['web-1'];
      onWrite(line);
      return known ? {} : { status: 404, text: 'Unknown service ID' };
    }
    if (path === '/v1/agent/service/register') {
      if (refuses || agent === refusing) return { status: 400, text: 'Invalid check' };
      const { Checks, Name, Meta, Tags, ...rest } = JSON.parse(body);
      if (Meta?.[MARK] === undefined) log.push(`${agent} unmarked`);
      if (Checks)
        log.push(`${agent} checks ${Checks.map((one: Json) => `${one.CheckID}=${one.Status ?? 'unsaid'}`)}`);
      const said = { ...(Meta && { Meta }), ...(Tags && { Tags }) };
      own[rest.ID] = {
        service: { ...service, Service: Name, ContentHash: 'new', ...said },
        // Without any it keeps those that it has.
        checks: Checks
          ? Checks.map((one: Json) => ({ ...check, CheckID: one.CheckID, Status: one.Status ?? 'critical' }))
          : (own[rest.ID]?.checks ?? []),
      };
      return {};
    }
    if (path === '/v1/agent/service/maintenance/web-1') {
      const id = '_service_maintenance:web-1';
      own['web-1']?.checks.push({ ...check, CheckID: id, Type: 'maintenance', Status: 'critical' });
    }
    if (path.startsWith('/v1/agent/check/deregister/') && own['web-1']) {
      own['web-1'].checks = own['web-1'].checks.filter((one) => one.CheckID !== 'consul-deploy-move:web-1');
    }
    if (method === 'PUT') return {};
    if (path.startsWith('/v1/agent/service/')) {
      const found = own['web-1'];
      return found ? { body: found.service } : { status: 404, text: 'unknown service ID' };
    }
    if (path === '/v1/agent/services') {
      return { body: Object.fromEntries(Object.entries(own).map(([id, one]) => [id, one.service])) };
    }
    if (path.startsWith('/v1/catalog/node-services/')) {
      return {
        body: { Services: Object.values(own).map((one) => ({ ID: 'web-1', Service: one.service.Service })) },
      };
    }
    if (path.startsWith('/v1/health/node/')) return { body: Object.values(own).flatMap((one) => one.checks) };
    if (path === '/v1/agent/checks') {
      return { body: Object.fromEntries((own['web-1']?.checks ?? []).map((one) => [one.CheckID, one])) };
    }
    looks += 1;
    for (const name of ['a', 'b']) {
      for (const one of held[name]?.['web-1']?.checks ?? []) {
        if (looks > passesAfter && one.CheckID === 'c') one.Status = 'passing';
      }
    }
    const entries = Object.entries(held).flatMap(([name, ids]) =>
      name === hidden
        ? []
        : Object.values(ids).map((one) => ({
            Node: { Node: name },
            Service: { ID: 'web-1' },
            Checks: one.checks,
          })),
    );
    const shown = entries.map(({ Node, Checks }) => `${Node.Node}:${Checks.map(({ Status }) => Status)}`);
    log.push(`catalog ${shown.join(' ')}`);
    onLook();
    return { body: entries, headers: { 'x-consul-index': String(looks) } };
  };

  const agents = await Promise.all(
    Object.keys(held).map(async (name) => {
      const fake = await fakeConsul(({ method, path, body }) => answer(name, method, path, body));
      return { client: clientOf(fake, name), nodeName: name };
    }),
  );
  const [server, ...clients] = agents;
  if (!server) throw new Error('no server');
  return {
    held,
    log,
    writes: () => log.filter((line) => !line.startsWith('catalog') && !/ checks | unmarked$/.test(line)),
    whenLooked: (then: () => void) => {
      onLook = then;
    },
    whenWritten: (then: (line: string) => void) => {
      onWrite = then;
    },
    /** The catalog does not show what is at this agent. */
    hide: (agent: string) => {
      hidden = agent;
    },
    /** This agent takes nothing any more. */
    refuse: (agent: string) => {
      refusing = agent;
    },
    /** The client that holds it. */
    place: () => ['a', 'b'].find((name) => held[name]?.['web-1'] !== undefined) ?? '',
    relocate: (change: Partial<Move> = {}) =>
      relocate({
        move: { ...move, ...change },
        server,
        clients: new Map(clients.map(({ nodeName, client }) => [nodeName, client])),
        signal: AbortSignal.timeout(20_000),
      }),
  };
}

describe('one service on its way from a server to a client', () => {
  it('is removed at the server only when the catalog shows it passing at the client', async () => {
    const { relocate, log, held } = await cluster({ passesAfter: 3 });
    const outcome = await relocate();
    const to = 'to' in outcome ? outcome.to : '';
    expect(['a', 'b']).toContain(to);
    expect(log).toEqual([
      'catalog s:passing',
      `${to} service/register`,
      // Whether it passes there is for that agent to say.
      `${to} checks c=unsaid`,
      `catalog s:passing ${to}:critical`,
      `catalog s:passing ${to}:critical`,
      `catalog s:passing ${to}:passing`,
      `${to} service/register`,
      `${to} unmarked`,
      's service/deregister/web-1',
      `catalog ${to}:passing`,
    ]);
    expect(held.s).toEqual({});
  });

  it('that was critical need not pass there', async () => {
    const { relocate, held } = await cluster({ passesAfter: 100 });
    held.s = { 'web-1': { service, checks: [{ ...check, Status: 'critical' }] } };
    expect(await relocate()).toHaveProperty('to');
  });

  it('is in maintenance there before it can be taken for a healthy one', async () => {
    const { relocate, log, writes, held } = await cluster({ passesAfter: 0 });
    held.s = { 'web-1': { service, checks: [{ ...check, Status: 'critical' }] } };
    const outcome = await relocate({ maintenance: 'by hand' });
    const to = 'to' in outcome ? outcome.to : '';
    expect(writes()).toEqual([
      `${to} service/register`,
      `${to} service/maintenance/web-1`,
      `${to} check/deregister/consul-deploy-move%3Aweb-1`,
      `${to} service/register`,
      's service/deregister/web-1',
    ]);
    expect(log).toContain(`${to} checks c=unsaid,consul-deploy-move:web-1=unsaid`);
  });

  it('stays where it is when it does not come to pass in time, and nothing is left at the client', async () => {
    const { relocate, held, writes } = await cluster({ passesAfter: 1000 });
    expect(await relocate({ settleMs: 700 })).toEqual({
      why: expect.stringMatching(/^not as healthy at [ab] after 1 s: its check c is critical there/),
    });
    expect(held).toMatchObject({ s: { 'web-1': {} }, a: {}, b: {} });
    expect(Object.keys({ ...held.a, ...held.b })).toEqual([]);
    expect(writes().filter((line) => line.startsWith('s '))).toEqual([]);
  });

  it('goes when its application deregisters it meanwhile', async () => {
    const { relocate, held, whenLooked } = await cluster({ passesAfter: 2 });
    let looks = 0;
    whenLooked(() => {
      looks += 1;
      if (looks === 2) held.s = {};
    });
    expect(await relocate()).toEqual({ why: expect.stringMatching(/deregistered it meanwhile/) });
    expect(held).toEqual({ s: {}, a: {}, b: {} });
  });

  it('stays at the client when its application has moved it there itself, with the same settings', async () => {
    const { relocate, held, whenLooked, place } = await cluster({ passesAfter: 2 });
    let to = '';
    whenLooked(() => {
      if (place() === '' || to !== '') return;
      to = place();
      held.s = {};
      held[to] = { 'web-1': { service, checks: [{ ...check }] } };
    });
    expect(await relocate()).toEqual({ why: expect.stringMatching(/^its application .* [ab] holds it/) });
    expect(held[to]).toEqual({ 'web-1': { service, checks: [check] } });
  });

  it('stays at the client where an earlier run or its application has put it, when it goes at the server', async () => {
    const { relocate, held, whenLooked } = await cluster({ passesAfter: 100 });
    held.a = { 'web-1': { service, checks: [{ ...check, Status: 'critical' }] } };
    whenLooked(() => {
      held.s = {};
    });
    expect(await relocate()).toEqual({
      why: expect.stringMatching(/deregistered it meanwhile.* a holds it/),
    });
    expect(Object.keys(held.a)).toEqual(['web-1']);
  });

  it('stays at its server when the client has lost it before', async () => {
    const { relocate, held, whenLooked, writes } = await cluster({ passesAfter: 0 });
    whenLooked(() => {
      held.a = {};
      held.b = {};
    });
    expect(await relocate()).toEqual({ why: expect.stringMatching(/^[ab] no longer holds it/) });
    expect(held.s).toEqual({ 'web-1': { service, checks: [check] } });
    expect(writes().filter((line) => line.startsWith('s '))).toEqual([]);
  });

  it('stays at its server when its application registers another one at the client', async () => {
    const { relocate, held, whenLooked, place, writes } = await cluster({ passesAfter: 0 });
    let to = '';
    whenLooked(() => {
      if (place() === '') return;
      to = place();
      held[to] = { 'web-1': { service: { ...service, Port: 81 }, checks: [{ ...check }] } };
    });
    expect(await relocate()).toEqual({ why: expect.stringMatching(/^[ab] holds another one/) });
    expect(held[to]?.['web-1']?.service.Port).toBe(81);
    expect(writes().filter((line) => line.includes('deregister'))).toEqual([]);
  });

  it.each([
    ['has lost it', ''],
    ['has lost it, in maintenance', 'by hand'],
  ])('is registered at its server again, as it stood, when the client %s since', async (_, maintenance) => {
    const { relocate, held, whenWritten, log } = await cluster({ passesAfter: 0 });
    whenWritten((line) => {
      if (!line.startsWith('s ')) return;
      held.a = {};
      held.b = {};
    });
    const status = maintenance === '' ? 'passing' : 'critical';
    held.s = { 'web-1': { service, checks: [{ ...check, Status: status }] } };
    const outcome = await relocate(maintenance === '' ? {} : { maintenance });
    expect(outcome).toEqual({ why: expect.stringMatching(/^[ab] has lost it; it is at its server again/) });
    expect(held.s?.['web-1']?.checks).toContainEqual({ ...check, Status: status });
    expect(log.some((line) => line.startsWith('s checks c='))).toBe(true);
  });

  it('is told as lost when its server does not take it again', async () => {
    const { relocate, held, whenWritten, refuse } = await cluster({ passesAfter: 0 });
    whenWritten(() => {
      held.a = {};
      held.b = {};
      refuse('s');
    });
    await expect(relocate()).rejects.toMatchObject({
      reason: 'registrations-lost',
      what: expect.stringMatching(
        /^service web-1 is registered nowhere: [ab] has lost it, and s did not take/,
      ),
    });
  });

  it('is registered without the mark that told it from one of its application, in the end', async () => {
    const { relocate, held, place, whenLooked } = await cluster();
    let marked: unknown;
    whenLooked(() => {
      marked ??= held[place()]?.['web-1']?.service.Meta;
    });
    const definition = { ...move.definition, Meta: { owner: 'x' } };
    held.s = { 'web-1': { service: { ...service, Meta: { owner: 'x' } }, checks: [check] } };
    expect(await relocate({ definition })).toHaveProperty('to');
    expect(marked).toEqual({ owner: 'x', [MARK]: 'true' });
    expect(held[place()]?.['web-1']?.service.Meta).toEqual({ owner: 'x' });
  });

  it('goes on where a run before has ended while its mark was still there', async () => {
    const { relocate, held } = await cluster();
    const Meta = { [MARK]: 'true' };
    held.a = { 'web-1': { service: { ...service, Meta }, checks: [{ ...check }] } };
    expect(await relocate()).toEqual({ to: 'a' });
    expect(held.s).toEqual({});
    expect(held.a['web-1']?.service.Meta).toBeUndefined();
  });

  it('stays, and is not taken for gone, when only the catalog does not show it at its server', async () => {
    const { relocate, held, hide } = await cluster({ passesAfter: 0 });
    hide('s');
    expect(await relocate({ settleMs: 700 })).toEqual({
      why: expect.stringMatching(/does not show it at its server/),
    });
    expect(Object.keys(held.s ?? {})).toEqual(['web-1']);
  });

  it('stays when its application registers it again meanwhile', async () => {
    const { relocate, held, whenLooked } = await cluster({ passesAfter: 2 });
    whenLooked(() => {
      held.s = { 'web-1': { service: { ...service, ContentHash: 'other' }, checks: [check] } };
    });
    expect(await relocate()).toEqual({ why: expect.stringMatching(/registered it again/) });
    expect(Object.keys(held.s ?? {})).toEqual(['web-1']);
    expect(Object.keys({ ...held.a, ...held.b })).toEqual([]);
  });

  it('stays when the client refuses it', async () => {
    const { relocate, held } = await cluster({ refuses: true });
    expect(await relocate()).toEqual({ why: expect.stringMatching(/^[ab] refuses it: Invalid check$/) });
    expect(Object.keys(held.s ?? {})).toEqual(['web-1']);
  });

  it.each(['a', 'b'])('goes on at %s, where a run before has registered it', async (name) => {
    const { relocate, held, writes } = await cluster();
    held[name] = { 'web-1': { service, checks: [{ ...check, Status: 'critical' }] } };
    expect(await relocate()).toEqual({ to: name });
    expect(writes()).toEqual(['s service/deregister/web-1']);
  });

  it('does not take the place of another one under its id, and is refused where there is no other', async () => {
    const another = () => ({ service: { ...service, Address: '10.0.0.1' }, checks: [{ ...check }] });
    const one = await cluster();
    one.held.a = { 'web-1': another() };
    expect(await one.relocate()).toEqual({ to: 'b' });
    expect(one.held.a).toEqual({ 'web-1': another() });
    const none = await cluster();
    none.held.a = { 'web-1': another() };
    none.held.b = { 'web-1': another() };
    expect(await none.relocate()).toEqual({ why: expect.stringMatching(/every client that was looked at/) });
    expect(none.writes()).toEqual([]);
  });

  it('is left to a person when a client holds it with other settings', async () => {
    const { relocate, held, writes } = await cluster();
    held.a = { 'web-1': { service: { ...service, Tags: ['x'] }, checks: [{ ...check }] } };
    expect(await relocate()).toEqual({ why: expect.stringMatching(/^a holds it too, with other settings/) });
    expect(writes()).toEqual([]);
  });
});

it('leaves out nodes with a failing check of their own', async () => {
  const fake = await fakeConsul(({ path }) => ({
    body: path.endsWith('/critical')
      ? [
          { Node: 'n1', ServiceID: '' },
          { Node: 'n2', ServiceID: 'web' },
        ]
      : [{ Node: 'n3', ServiceID: '' }],
  }));
  expect(await failingNodes(clientOf(fake), AbortSignal.timeout(5_000))).toEqual(new Set(['n1', 'n3']));
});
