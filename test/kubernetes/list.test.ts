import { expect, test } from 'vitest';
import { listAll } from '../../src/kubernetes/list.ts';
import { connectTo, json, signal, startServer } from './fake-server.ts';

test('lists every page, each with the selector and the token of the one before', async () => {
  const pages: Record<string, { items: object[] | null; next?: string }> = {
    '': { items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }], next: 'one more' },
    'one more': { items: null, next: 'the last' },
    'the last': { items: [{ metadata: { name: 'c' } }] },
  };
  const api = await startServer(({ query }, response) => {
    const { items, next } = pages[query.get('continue') ?? ''] ?? { items: [] };
    json(response, 200, { metadata: { ...(next && { continue: next }) }, items });
  });
  const names: string[] = [];
  const query = { labelSelector: 'app=consul' };
  for await (const one of listAll(await connectTo(api.url), '/api/v1/pods', query, signal())) {
    names.push(one.metadata.name);
  }
  expect(names).toEqual(['a', 'b', 'c']);
  const asked = api.calls.map(({ query }) => [query.get('labelSelector'), query.get('continue')]);
  expect(asked).toEqual([
    ['app=consul', null],
    ['app=consul', 'one more'],
    ['app=consul', 'the last'],
  ]);
});
