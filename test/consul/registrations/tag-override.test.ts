import { expect, it } from 'vitest';
import { withCatalogTags } from '../../../src/consul/registrations/tag-override.ts';
import { clientOf, fakeConsul } from '../fake-consul.ts';

const SERVICES = {
  db: { ID: 'db', Tags: ['replica'], EnableTagOverride: true },
  bare: { ID: 'bare', Tags: ['old'], EnableTagOverride: true },
  fresh: { ID: 'fresh', Tags: ['own'], EnableTagOverride: true },
  web: { ID: 'web', Tags: ['a'], EnableTagOverride: false },
};

it('gives services with EnableTagOverride the tags that the catalog has now, and no others', async () => {
  const fake = await fakeConsul(() => ({
    body: { Services: [{ ID: 'db', Tags: ['master'] }, { ID: 'bare' }, { ID: 'web', Tags: ['b'] }] },
  }));
  const found = await withCatalogTags(clientOf(fake), 'node 1', SERVICES, AbortSignal.timeout(5_000));
  expect(found).toEqual({
    ...SERVICES,
    db: { ...SERVICES.db, Tags: ['master'] },
    bare: { ...SERVICES.bare, Tags: [] },
  });
  expect(fake.requests.map(({ path }) => path)).toEqual(['/v1/catalog/node-services/node%201']);
});

it('keeps the tags of an agent that the catalog does not know yet', async () => {
  const fake = await fakeConsul(() => ({ body: null }));
  expect(await withCatalogTags(clientOf(fake), 'n', SERVICES, AbortSignal.timeout(5_000))).toEqual(SERVICES);
});

it('asks for nothing where no service has it', async () => {
  const fake = await fakeConsul(() => ({ status: 500 }));
  const { web } = SERVICES;
  expect(await withCatalogTags(clientOf(fake), 'n', { web }, AbortSignal.timeout(5_000))).toEqual({ web });
  expect(fake.requests).toEqual([]);
});
