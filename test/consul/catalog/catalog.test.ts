import { expect, it } from 'vitest';
import { readCatalog, readNodes } from '../../../src/consul/catalog/catalog.ts';
import { readNodes as readCatalogNodes, readInstances } from '../../../src/consul/catalog/entry.ts';
import { readServiceNames } from '../../../src/consul/catalog/service-names.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';

const CHECKS = [
  { Node: 'consul-client-0', CheckID: 'serfHealth', ServiceID: '', ServiceName: '' },
  { Node: 'consul-client-0', CheckID: 'disk', ServiceID: '', ServiceName: '' },
  { Node: 'consul-client-1', CheckID: 'c', ServiceID: 'web-1', ServiceName: 'web' },
  {
    Node: 'consul-client-1',
    CheckID: 's',
    ServiceID: 'consul-deploy-smoke-1',
    ServiceName: 'consul-deploy-smoke-1',
  },
];
const INSTANCES = [
  { Node: 'consul-client-0', ServiceID: 'web-1', ServiceName: 'web' },
  { Node: 'consul-client-1', ServiceID: 'web-1', ServiceName: 'web' },
];

async function server() {
  return fakeConsul(({ path }) => {
    if (path === '/v1/catalog/nodes') return { body: [0, 1].map((at) => ({ Node: `consul-client-${at}` })) };
    if (path === '/v1/health/state/any') return { body: CHECKS };
    if (path === '/v1/catalog/services')
      return { body: { consul: [], web: ['a'], 'consul-deploy-smoke-1': [] } };
    if (path === '/v1/catalog/service/web') return { body: INSTANCES };
    if (path === '/v1/catalog/node-services/consul-client-1') {
      const Services = [
        { ID: 'web-1', Service: 'web' },
        { ID: 'consul', Service: 'consul' },
      ];
      return { body: { Node: { Node: 'consul-client-1' }, Services } };
    }
    if (path === '/v1/health/node/consul-client-1') return { body: CHECKS.slice(2) };
    // Of a node that does not exist.
    if (path === '/v1/catalog/node-services/gone') return { body: { Node: null, Services: [] } };
    return { status: 404 };
  });
}

const signal = () => AbortSignal.timeout(10_000);

it('is read by one request a name, without what leader and proofs have registered', async () => {
  const fake = await server();
  const catalog = await readCatalog(clientOf(fake), signal());
  expect(
    [...catalog.values()].map(({ kind, node, id, service }) => `${kind} ${node} ${id} ${service}`),
  ).toEqual([
    'node consul-client-0  ',
    'node consul-client-1  ',
    'service consul-client-0 web-1 web',
    'service consul-client-1 web-1 web',
    'check consul-client-0 disk ',
    'check consul-client-1 c web-1',
  ]);
  expect(fake.requests.map(({ path }) => path)).toEqual([
    '/v1/catalog/nodes',
    '/v1/health/state/any',
    '/v1/catalog/services',
    '/v1/catalog/service/web',
  ]);
  expect(fake.requests[0]?.query.has('consistent')).toBe(true);
});

it('is read again for some nodes, by the same keys', async () => {
  const fake = await server();
  const client = clientOf(fake);
  const all = await readCatalog(client, signal());
  const some = await readNodes(client, ['consul-client-1', 'gone'], signal());
  expect([...some].sort()).toEqual([...all].filter(([, { node }]) => node === 'consul-client-1').sort());
});

const CUT = { 'X-Consul-Results-Filtered-By-ACLs': 'true' };
const DENY = { 'X-Consul-Default-ACL-Policy': 'deny' };

it.each<[string, string, Record<string, string>]>([
  ['services, as Consul tells a token', '/v1/catalog/services', CUT],
  ['checks, as Consul tells a token', '/v1/health/state/any', CUT],
  ['instances of a service, as Consul tells a token', '/v1/catalog/service/web', CUT],
  ['services, as nobody tells a request without a token', '/v1/catalog/services', DENY],
])('is refused where ACLs hide %s', async (_, at, headers) => {
  const fake = await fakeConsul(({ path }) => {
    const services = headers === DENY ? {} : { consul: [], web: [] };
    const body = path === '/v1/catalog/services' ? services : [];
    return { body, headers: path === at ? headers : {} };
  });
  await expect(readCatalog(clientOf(fake), signal())).rejects.toMatchObject({ reason: 'acl-denied' });
});

it('is whole under ACLs where the servers’ own service is seen', async () => {
  const fake = await fakeConsul(({ path }) => ({
    body: path === '/v1/catalog/services' ? { consul: [] } : [],
    headers: DENY,
  }));
  expect((await readCatalog(clientOf(fake), signal())).size).toBe(0);
  expect(await readCatalogNodes(clientOf(fake), signal())).toEqual([]);
});

it('is refused for a survey, too, where ACLs hide services from a request without a token', async () => {
  const fake = await fakeConsul(({ path }) => ({
    body: path === '/v1/catalog/services' ? {} : [],
    headers: DENY,
  }));
  await expect(readCatalogNodes(clientOf(fake), signal())).rejects.toMatchObject({ reason: 'acl-denied' });
});

it('reads nodes with what Consul leaves out', async () => {
  const body = [
    { Node: 'announced', ID: 'an-id', Address: '10.0.0.1', Meta: { rack: '7' } },
    { Node: 'written', ID: '', Address: '192.0.2.1', Meta: null },
    { Node: 'bare' },
  ];
  const fake = await fakeConsul(() => ({ body }));
  expect(await readCatalogNodes(clientOf(fake), signal())).toEqual([
    { name: 'announced', address: '10.0.0.1', meta: { rack: '7' }, announced: true },
    { name: 'written', address: '192.0.2.1', meta: {}, announced: false },
    { name: 'bare', address: '', meta: {}, announced: false },
  ]);
  // Names of services are asked for only where ACLs may hide some.
  expect(fake.requests.map(({ path }) => path)).toEqual(['/v1/catalog/nodes']);
  expect(fake.requests[0]?.query.has('consistent')).toBe(true);
});

it('reads the services of a node, and none of one that is not there', async () => {
  const Services = [
    { ID: 'web-1', Service: 'web', Address: '10.0.0.2', Port: 80 },
    { ID: 'bare', Service: 'bare' },
  ];
  const fake = await fakeConsul(({ path }) => ({ body: path.endsWith('/a%20b') ? { Services } : null }));
  expect(await readInstances(clientOf(fake), 'a b', signal())).toEqual([
    { node: 'a b', id: 'web-1', name: 'web', address: '10.0.0.2', port: 80 },
    { node: 'a b', id: 'bare', name: 'bare', address: '', port: 0 },
  ]);
  expect(await readInstances(clientOf(fake), 'c', signal())).toEqual([]);
});

it('names of services without that of the servers are taken for all only where no ACLs are', async () => {
  const headers = { 'x-consul-default-acl-policy': 'deny' };
  const open = await fakeConsul(() => ({ body: { web: [] } }));
  expect(await readServiceNames(clientOf(open), signal())).toEqual(['web']);
  const whole = await fakeConsul(() => ({ headers, body: { consul: [], web: [] } }));
  expect(await readServiceNames(clientOf(whole), signal())).toEqual(['consul', 'web']);
  const cut = await fakeConsul(() => ({ headers, body: { web: [] } }));
  await expect(readServiceNames(clientOf(cut), signal())).rejects.toMatchObject({ reason: 'acl-denied' });
});
