import { describe, expect, test } from 'vitest';
import { listIfAllowed, listObjects } from '../../src/kubernetes/list.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { connectTo, type Handler, json, signal, startServer, status } from './fake-server.ts';

const PODS = '/api/v1/pods';
const project = ({ metadata }: KubernetesObject) => [metadata.name];
const item = (name: string) => ({ metadata: { name } });
const expired: Handler = (_call, response) =>
  status(response, 410, { reason: 'Expired', message: 'too old' });

/** Pages by the token that asks for them; a token that has expired is answered so. */
function pages(byToken: Record<string, { items: object[] | null; next?: string } | Handler>): Handler {
  return (call, response, request) => {
    const page = byToken[call.query.get('continue') ?? ''];
    if (typeof page === 'function') return page(call, response, request);
    const { items, next } = page ?? { items: [] };
    json(response, 200, { metadata: { ...(next && { continue: next }) }, items });
  };
}

async function list(handler: Handler, options: object = {}) {
  const api = await startServer(handler);
  const transport = await connectTo(api.url);
  return { api, found: listObjects(transport, PODS, { project, ...options }, signal()) };
}

describe('listObjects', () => {
  test('lists every page, each with the selector and the token of the one before', async () => {
    const { api, found } = await list(
      pages({
        '': { items: [item('a'), item('b')], next: 'one more' },
        'one more': { items: null, next: 'the last' },
        'the last': { items: [item('c')] },
      }),
      { labelSelector: 'app=consul' },
    );
    expect(await found).toEqual(['a', 'b', 'c']);
    const asked = api.calls.map(({ query }) => [query.get('labelSelector'), query.get('continue')]);
    expect(asked).toEqual([
      ['app=consul', null],
      ['app=consul', 'one more'],
      ['app=consul', 'the last'],
    ]);
    expect(api.calls.every(({ query }) => query.get('limit') === '500')).toBe(true);
  });

  test('asks for metadata alone where that is enough', async () => {
    const { api, found } = await list(pages({ '': { items: [item('a')] } }), { metadataOnly: true });
    await found;
    expect(api.calls[0]?.headers.accept).toContain('PartialObjectMetadataList');
  });

  test('starts again when the rest of the list has expired, and tells nothing twice', async () => {
    let answers = 0;
    const { found } = await list(
      pages({
        '': { items: [item('a')], next: 'more' },
        more: (call, response, request) => {
          if (answers++ === 0) return expired(call, response, request);
          return json(response, 200, { items: [item('b')] });
        },
      }),
    );
    expect(await found).toEqual(['a', 'b']);
  });

  test('that expires every time is a failure, and no short list', async () => {
    const { api, found } = await list(pages({ '': { items: [item('a')], next: 'more' }, more: expired }));
    await expect(found).rejects.toMatchObject({ name: 'Failure', reason: 'unreachable' });
    expect(api.calls).toHaveLength(6);
  });

  test.each([{}, { items: {} }, { kind: 'Status', status: 'Success' }])(
    'an answer that is no list is not an empty one: %j',
    async (body) => {
      const { found } = await list((_call, response) => json(response, 200, body));
      await expect(found).rejects.toMatchObject({ reason: 'unreachable', where: 'pods' });
    },
  );

  test('ends with the reason of the signal', async () => {
    const api = await startServer(pages({ '': { items: [] } }));
    const reason = new Error('the deadline');
    const found = listObjects(await connectTo(api.url), PODS, { project }, AbortSignal.abort(reason));
    await expect(found).rejects.toBe(reason);
  });
});

describe('listIfAllowed', () => {
  test.each([
    [403, undefined],
    [404, 'invalid-manifest'],
  ])('%i: %s', async (code, reason) => {
    const api = await startServer((_call, response) => status(response, code, { message: 'no' }));
    const found = listIfAllowed(await connectTo(api.url), PODS, { project }, signal());
    if (reason === undefined) expect(await found).toBeUndefined();
    else await expect(found).rejects.toMatchObject({ reason });
  });

  test('what may not be listed to its end is not known', async () => {
    const forbidden: Handler = (_call, response) => status(response, 403, { message: 'no' });
    const api = await startServer(pages({ '': { items: [item('a')], next: 'more' }, more: forbidden }));
    expect(await listIfAllowed(await connectTo(api.url), PODS, { project }, signal())).toBeUndefined();
  });
});
