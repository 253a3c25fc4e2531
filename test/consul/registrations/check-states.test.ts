import { expect, test } from 'vitest';
import { fallenChecks, setAgain, standingChecks } from '../../../src/consul/registrations/check-states.ts';
import { clientOf, type FakeRequest, fakeConsul } from '../fake-consul.ts';

const WEB = {
  CheckID: 'service:web',
  Name: 'web is up',
  HTTP: 'http://127.0.0.1',
  Interval: '30m',
  Status: 'passing',
};
const CARRIED = {
  services: [
    { ID: 'web', Name: 'web', Checks: [WEB, { ...WEB, CheckID: 'service:web:2', Status: 'critical' }] },
    { ID: 'plain', Name: 'plain', Checks: [] },
  ],
  checks: [{ ID: 'disk', Name: 'disk', TTL: '1m', Status: 'warning' }],
  maintenance: [],
};

test('checks that stood as passing or warning may go on, those of services with the service', () => {
  expect(standingChecks(CARRIED)).toEqual([
    {
      ID: 'service:web',
      ServiceID: 'web',
      Name: 'web is up',
      HTTP: WEB.HTTP,
      Interval: '30m',
      Status: 'passing',
    },
    { ID: 'disk', Name: 'disk', TTL: '1m', Status: 'warning' },
  ]);
});

async function agent(checks: Record<string, object> = {}) {
  const asked: FakeRequest[] = [];
  const fake = await fakeConsul((request) => {
    asked.push(request);
    if (request.path === '/v1/agent/checks') return { body: checks };
    return request.path === '/v1/agent/services' ? { body: {} } : { text: '' };
  });
  const writes = () =>
    asked
      .filter(({ method }) => method === 'PUT')
      .map(({ path, body }) => [
        path.replace('/v1/agent/check/', ''),
        body === '' ? undefined : JSON.parse(body),
      ]);
  return { client: clientOf(fake), writes };
}

test('a check has fallen that is critical and has said nothing since the start of its agent', async () => {
  const { client } = await agent({
    'service:web': { Status: 'critical', Output: '' },
    // It has run since then, and knows better.
    'service:slow': { Status: 'critical', Output: 'connection refused' },
    disk: { Status: 'passing', Output: '' },
  });
  const slow = { ID: 'service:slow', Name: 'slow', TTL: 1, Status: 'passing' };
  const gone = { ID: 'gone', Name: 'gone', TTL: 1, Status: 'passing' };
  const before = [...standingChecks(CARRIED), slow, gone];
  const fallen = await fallenChecks(client, before, AbortSignal.timeout(10_000));
  expect(fallen).toEqual([standingChecks(CARRIED)[0]]);
});

test('a check that the agent runs is taken away and registered; of one that is told how it is, that is said', async () => {
  const { client, writes } = await agent();
  const [web, disk] = standingChecks(CARRIED);
  await setAgain(client, standingChecks(CARRIED), AbortSignal.timeout(10_000));
  expect(writes()).toEqual([
    ['deregister/service%3Aweb', undefined],
    ['register', web],
    ['update/disk', { Status: disk?.Status }],
  ]);
});
