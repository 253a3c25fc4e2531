import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HealthEntry, likeness, movesOf, worse } from '../../../src/consul/registrations/move.ts';

type Json = Record<string, unknown>;

const web: Json = { ID: 'web-1', Name: 'web', Address: '10.0.0.9', Port: 80 };
const http: Json = {
  CheckID: 'c',
  Name: 'answers',
  Status: 'passing',
  HTTP: 'http://10.0.0.9/',
  Interval: 10e9,
  Timeout: 2e9,
  SuccessBeforePassing: 2,
};

function given(
  service: Json,
  {
    checks = {},
    services = {},
    obstacles = [] as string[],
    maintenance = [] as { service: string; reason: string }[],
    own = [] as Json[],
  } = {},
) {
  return movesOf(
    { services, checks },
    { carried: { services: [service], checks: own, maintenance }, obstacles, configured: [] },
  );
}

describe('what can move from a server', () => {
  it('is registered as it is, but for the status of its checks: those have to run there first', () => {
    const { Status: _, ...check } = http;
    expect(given({ ...web, Checks: [http] })).toEqual({
      refused: [],
      moves: [
        {
          id: 'web-1',
          name: 'web',
          definition: { ...web, Checks: [check] },
          maintenance: undefined,
          // Three times an interval, an answer, and 20 s.
          settleMs: 52_000,
        },
      ],
    });
  });

  it('takes the reason of its maintenance along, and the tags that others gave it where they may', () => {
    const service = { ...web, Tags: ['old'], EnableTagOverride: true, Checks: [] };
    const services = { 'web-1': { Tags: ['new'] } };
    const maintenance = [
      { service: 'web-2', reason: 'no' },
      { service: 'web-1', reason: 'by hand' },
    ];
    const [move] = given(service, { services, maintenance }).moves;
    expect(move).toMatchObject({ maintenance: 'by hand', definition: { Tags: ['new'] } });
    const [own] = given({ ...service, EnableTagOverride: undefined }, { services }).moves;
    expect(own?.definition).toMatchObject({ Tags: ['old'] });
  });

  it.each<[string, Json, Parameters<typeof given>[1], RegExp]>([
    ['no address', { ...web, Address: undefined }, {}, /no address of its own/],
    ['a TTL check', { ...web, Checks: [{ CheckID: 't', TTL: 6e10 }] }, {}, /reports the state of check t to/],
    ['an alias', { ...web, Checks: [{ CheckID: 'a', AliasService: 'db' }] }, {}, /check a follows another/],
    ['localhost', { ...web, Checks: [{ CheckID: 'l', TCP: 'localhost:80' }] }, {}, /asks localhost:80/],
    [
      'a loopback URL',
      { ...web, Checks: [{ CheckID: 'l', HTTP: 'http://127.0.0.1/' }] },
      {},
      /the server itself/,
    ],
    ['IPv6 loopback', { ...web, Checks: [{ CheckID: 'l', GRPC: '[::1]:80' }] }, {}, /the server itself/],
    [
      'a server in maintenance',
      web,
      { maintenance: [{ service: '', reason: '' }] },
      /its server is in maintenance/,
    ],
    [
      'a check that runs in the pod',
      web,
      { checks: { 's: x': { ServiceID: 'web-1' } }, obstacles: ['check s: x: it runs in the pod'] },
      /^it runs in the pod$/,
    ],
  ])('is not a service with %s', (_, service, more, why) => {
    const { moves, refused } = given(service, more);
    expect(moves).toEqual([]);
    expect(refused).toEqual([{ what: 'service web-1', why: expect.stringMatching(why) }]);
  });

  it('is not a check of the node, nor what comes from a file', () => {
    const { moves, refused } = given(web, {
      checks: { n: { ServiceID: '' } },
      own: [{ ID: 'disk' }, { ID: 'of-cfg', ServiceID: 'cfg' }],
      obstacles: ['service cfg: it comes from a file', 'check n: it runs in the pod'],
    });
    expect(moves).toHaveLength(1);
    expect(refused).toEqual([
      { what: 'service cfg', why: 'it comes from a file' },
      { what: 'check n', why: 'it runs in the pod' },
      { what: 'check disk', why: expect.stringMatching(/about the node of the server/) },
    ]);
  });
});

describe('one id at a server and at a client', () => {
  const service = { Service: 'web', Address: '10.0.0.9', Port: 80, Tags: ['a'], ContentHash: 'x' };
  const checks = [{ CheckID: 'c', Name: 'n', Type: 'http', Interval: '1s', Status: 'passing' }];
  const held = { service, checks };
  it.each<[string, Partial<typeof held>, string]>([
    ['the same, however it stands', { checks: [{ ...checks[0], Status: 'critical' } as never] }, 'same'],
    [
      'in maintenance or held for it',
      {
        checks: [
          ...checks,
          { CheckID: 'consul-deploy-move:web-1' } as never,
          { CheckID: 'm', Type: 'maintenance' } as never,
        ],
      },
      'same',
    ],
    ['at another port', { service: { ...service, Port: 81 } }, 'another'],
    ['of another name', { service: { ...service, Service: 'api' } }, 'another'],
    ['with other tags', { service: { ...service, Tags: ['b'] } }, 'different'],
    ['with another check', { checks: [{ ...checks[0], Interval: '5s' } as never] }, 'different'],
    ['without its check', { checks: [] }, 'different'],
  ])('is %s', (_, change, like) => {
    expect(likeness(held, { ...held, ...change })).toBe(like);
  });
});

describe('as healthy as at the server', () => {
  const entry = (checks: Record<string, string>, node = 'passing'): HealthEntry => ({
    Node: { Node: 'n' },
    Service: { ID: 'web-1' },
    Checks: [
      { CheckID: 'serfHealth', ServiceID: '', Status: node },
      ...Object.entries(checks).map(([CheckID, Status]) => ({ CheckID, ServiceID: 'web-1', Status })),
    ],
  });
  it.each<[string, HealthEntry | undefined, HealthEntry, RegExp | undefined]>([
    ['not shown', undefined, entry({}), /does not show it there/],
    ['no checks', entry({}), entry({}), undefined],
    ['both pass', entry({ a: 'passing' }), entry({ a: 'passing' }), undefined],
    ['not yet', entry({ a: 'critical' }), entry({ a: 'passing' }), /check a is critical there/],
    ['it was critical', entry({ a: 'critical' }), entry({ a: 'critical' }), undefined],
    ['better', entry({ a: 'passing' }), entry({ a: 'warning' }), undefined],
    [
      'one of two',
      entry({ a: 'passing', b: 'critical' }),
      entry({ a: 'critical', b: 'passing' }),
      /check b is critical there, and passing at the server/,
    ],
    [
      'one is missing',
      entry({ a: 'passing' }),
      entry({ a: 'passing', m: 'critical' }),
      /check m is missing there/,
    ],
    [
      'its node fails',
      entry({ a: 'passing' }, 'critical'),
      entry({ a: 'passing' }),
      /check serfHealth is critical there/,
    ],
  ])('%s', (_, client, server, why) => {
    const said = worse(client, server);
    if (why) expect(said).toMatch(why);
    else expect(said).toBeUndefined();
  });

  it('never calls an instance as good whose worst check, or any check of the server, is worse', () => {
    const states = ['passing', 'warning', 'critical'];
    const checks = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(...states));
    const node = fc.constantFrom(...states);
    const badness = (one: HealthEntry) => Math.max(...one.Checks.map(({ Status }) => states.indexOf(Status)));
    fc.assert(
      fc.property(checks, node, checks, node, (ours, ourNode, theirs, theirNode) => {
        const [client, server] = [entry(ours, ourNode), entry(theirs, theirNode)];
        fc.pre(worse(client, server) === undefined);
        expect(badness(client)).toBeLessThanOrEqual(badness(server));
        for (const [id, status] of Object.entries(theirs)) {
          expect(states.indexOf(ours[id] ?? '')).toBeGreaterThanOrEqual(0);
          expect(states.indexOf(ours[id] ?? '')).toBeLessThanOrEqual(states.indexOf(status));
        }
      }),
    );
  });
});
