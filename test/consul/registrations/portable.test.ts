import { describe, expect, it } from 'vitest';
import {
  type AgentRegistrations,
  carriageOf,
  isNothing,
} from '../../../src/consul/registrations/portable.ts';

/** As Go writes a check's type: every field, durations in nanoseconds. */
const type = (fields: Record<string, unknown>) => ({
  CheckID: '',
  Name: '',
  Status: '',
  Notes: '',
  ScriptArgs: null,
  HTTP: '',
  Header: null,
  TCP: '',
  Interval: 0,
  TTL: 0,
  Timeout: 0,
  Shell: '',
  ...fields,
});

const serviceFile = (service: Record<string, unknown>, more = {}) =>
  JSON.stringify({
    Token: '',
    Source: 'remote',
    Service: {
      Tags: null,
      Address: '',
      Meta: null,
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Proxy: { Mode: '', MeshGateway: {}, Expose: {} },
      Connect: {},
      PeerName: '',
      CreateIndex: 0,
      ModifyIndex: 0,
      ...service,
    },
    ...more,
  });

const checkFile = (check: Record<string, unknown>, definition: Record<string, unknown> | null, more = {}) =>
  JSON.stringify({
    Token: '',
    Source: 'remote',
    Check: check,
    ChkType: definition && type(definition),
    ...more,
  });

const web = { ID: 'web-1', Service: 'web' };
const live = (check: Record<string, unknown>) => ({ Status: 'passing', Notes: '', ServiceID: '', ...check });

const given = (change: Partial<AgentRegistrations>): AgentRegistrations => ({
  services: {},
  checks: {},
  files: [],
  ...change,
});

describe('what an agent holds', () => {
  it('is carried as the request that registers it: the service with its checks, as they stand now', () => {
    const { carried, obstacles } = carriageOf(
      given({
        services: { 'web-1': { ID: 'web-1', Service: 'web' } },
        checks: {
          'service:web-1': live({
            Name: 'answers',
            ServiceID: 'web-1',
            Status: 'critical',
            Type: 'http',
            Notes: 'n',
          }),
        },
        files: [
          serviceFile({
            ...web,
            Tags: ['a'],
            Meta: { owner: 'x' },
            Port: 80,
            Address: '10.0.0.9',
            TaggedAddresses: { lan_ipv4: { Address: '10.0.0.9', Port: 80 } },
            Weights: { Passing: 3, Warning: 1 },
          }),
          // As it stood when the agent wrote it down.
          checkFile(
            { CheckID: 'service:web-1', Name: 'answers', ServiceID: 'web-1', Status: 'passing' },
            { HTTP: 'http://10.0.0.9/health', Interval: 5e9, Header: { Authorization: ['x'] } },
          ),
        ],
      }),
    );
    expect(obstacles).toEqual([]);
    expect(carried).toEqual({
      services: [
        {
          ID: 'web-1',
          Name: 'web',
          Tags: ['a'],
          Meta: { owner: 'x' },
          Port: 80,
          Address: '10.0.0.9',
          TaggedAddresses: { lan_ipv4: { Address: '10.0.0.9', Port: 80 } },
          Weights: { Passing: 3, Warning: 1 },
          Checks: [
            {
              CheckID: 'service:web-1',
              Name: 'answers',
              Notes: 'n',
              Status: 'critical',
              HTTP: 'http://10.0.0.9/health',
              Interval: 5e9,
              Header: { Authorization: ['x'] },
            },
          ],
        },
      ],
      checks: [],
      maintenance: [],
    });
  });

  it.each([
    [true, ['replica'], ['master'], ['master']],
    [true, ['replica'], [], undefined],
    [true, null, ['master'], ['master']],
    [false, ['replica'], ['master'], ['replica']],
  ])(
    'with EnableTagOverride %j has the tags that the agent says, not those of its file',
    (override, Tags, now, expected) => {
      const { carried } = carriageOf(
        given({
          services: { 'web-1': { ...web, Tags: now, EnableTagOverride: override } },
          files: [serviceFile({ ...web, Tags, EnableTagOverride: override })],
        }),
      );
      expect(carried.services.map(({ Tags }) => Tags)).toEqual([expected]);
    },
  );

  it('has checks of the node itself, and maintenance of a service and of the node', () => {
    const { carried, obstacles } = carriageOf(
      given({
        services: { 'web-1': { ID: 'web-1' } },
        checks: {
          disk: live({ Name: 'disk', Type: 'ttl', Status: 'warning' }),
          '_service_maintenance:web-1': live({ ServiceID: 'web-1', Type: 'maintenance', Notes: 'by hand' }),
          _node_maintenance: live({ Type: 'maintenance', Notes: 'reboot' }),
        },
        files: [serviceFile(web), checkFile({ CheckID: 'disk', Name: 'disk' }, { TTL: 6e10 })],
      }),
    );
    expect(obstacles).toEqual([]);
    expect(carried.checks).toEqual([{ ID: 'disk', Name: 'disk', Notes: '', Status: 'warning', TTL: 6e10 }]);
    expect(carried.maintenance).toEqual([
      { service: 'web-1', reason: 'by hand' },
      { service: '', reason: 'reboot' },
    ]);
    expect(carried.services).toMatchObject([{ ID: 'web-1', Checks: [] }]);
  });

  it('is nothing at most agents, and never what this action has registered for a proof', () => {
    expect(isNothing(carriageOf(given({})).carried)).toBe(true);
    const smoke = carriageOf(
      given({
        services: { 'consul-deploy-smoke-1': { ID: 'consul-deploy-smoke-1' } },
        checks: { c: live({ ServiceID: 'consul-deploy-smoke-1', Type: 'ttl' }) },
      }),
    );
    expect(smoke).toEqual({
      carried: { services: [], checks: [], maintenance: [] },
      obstacles: [],
      configured: [],
    });
  });

  it('tells apart what comes from a configuration file, and keeps the checks that others have added to it', () => {
    const { carried, obstacles, configured } = carriageOf(
      given({
        services: { 'web-1': web, 'db-1': { ID: 'db-1' } },
        checks: {
          added: live({ Name: 'added', ServiceID: 'web-1', Type: 'ttl' }),
          script: live({ Name: 'script', ServiceID: 'db-1', Type: 'script' }),
        },
        files: [
          serviceFile({ ID: 'db-1', Service: 'db' }),
          checkFile({ CheckID: 'added' }, { TTL: 6e10 }),
          checkFile({ CheckID: 'script' }, { ScriptArgs: ['/bin/true'] }),
        ],
      }),
    );
    expect(carried.checks).toMatchObject([{ ID: 'added', ServiceID: 'web-1', TTL: 6e10 }]);
    expect(obstacles).toHaveLength(2);
    const [obstacle] = obstacles.filter((one) => one.startsWith('service web-1:'));
    expect(configured).toEqual([{ kind: 'service', id: 'web-1', obstacle }]);
  });

  const check = live({ ServiceID: 'web-1', Name: 'c', Type: 'x' });
  const both = { services: { 'web-1': web }, checks: { c: check } };
  it.each([
    ['a service that no file holds', { services: { 'web-1': web } }, /service web-1: it comes from a config/],
    ['a check that no file holds', { ...both, files: [serviceFile(web)] }, /check c: it comes from a config/],
    [
      'a check that runs a program',
      { ...both, files: [serviceFile(web), checkFile({ CheckID: 'c' }, { ScriptArgs: ['/bin/true'] })] },
      /check c: it runs in the pod of its agent \(ScriptArgs\)/,
    ],
    [
      'a check without a definition',
      { ...both, files: [serviceFile(web), checkFile({ CheckID: 'c' }, null)] },
      /check c: its definition is not kept/,
    ],
    [
      'a proxy',
      { services: { 'web-1': web }, files: [serviceFile({ ...web, Kind: 'connect-proxy' })] },
      /service web-1: it is a proxy of the service mesh \(connect-proxy\)/,
    ],
    [
      'a sidecar',
      { services: { 'web-1': web }, files: [serviceFile(web, { LocallyRegisteredAsSidecar: true })] },
      /service web-1: it is a proxy of the service mesh \(sidecar\)/,
    ],
    [
      'a token',
      { services: { 'web-1': web }, files: [serviceFile(web, { Token: 't' })] },
      /service web-1: it was registered with a token/,
    ],
    [
      'a broken file',
      { services: { 'web-1': web }, files: ['{"Service":', 'null', '[]'] },
      /service web-1: it comes from/,
    ],
  ])('cannot be carried: %s', (_, registrations, obstacle) => {
    const { obstacles } = carriageOf(given(registrations));
    expect(obstacles).toHaveLength(1);
    expect(obstacles[0]).toMatch(obstacle);
  });
});
