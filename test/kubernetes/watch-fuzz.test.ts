import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { watchResource } from '../../src/kubernetes/watch/watch.ts';
import {
  type Answer,
  answer,
  BROKEN,
  DEEP,
  expectOwn,
  give,
  json,
  LONG_MS,
  MEGABYTES,
  statuses,
  value,
} from './broken-answer.ts';
import { connectTo, startServer } from './fake-server.ts';

const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', uid: 'u', resourceVersion: '3' } };
const end = { metadata: { resourceVersion: '7', annotations: { 'k8s.io/initial-events-end': 'true' } } };
const GOOD = line('ADDED', pod) + line('BOOKMARK', end);
const TORN: [name: string, body: string | Buffer][] = [
  ['a torn line', line('ADDED', pod).slice(0, 30)],
  ['a torn line between others', `${line('ADDED', pod).slice(0, 30)}\n${GOOD}`],
  ['null', 'null\n'],
  ['numbers', '1\n2\n'],
  ['no object', '{"type":"ADDED"}\n'],
  ['an unknown type', line('MOVED', pod)],
  ['an object without metadata', line('MODIFIED', {})],
  ['a bookmark without metadata', line('BOOKMARK', null)],
  ['an error without a Status', line('ERROR', null)],
  ['a Status of wrong types', line('ERROR', { code: '410', message: 5, details: 'x' })],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x0a, 0x7b, 0x0a])],
  ['a line of 5 MB', `${line('ADDED', { metadata: { name: MEGABYTES } })}${MEGABYTES}`],
  ['deep arrays', `${'['.repeat(DEEP)}\n`],
  ['a page', '<html>\nsign in\n</html>\n'],
  ['nothing', ''],
];

/** Follows until it has told of the one pod there is. */
async function watchThrough(...first: Answer[]): Promise<void> {
  const turns = [...first];
  const server = await startServer((call, response) => {
    const turn = turns.shift();
    if (turn) return give(response, turn);
    if (call.query.has('watch')) response.writeHead(200).write(GOOD);
    else give(response, json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [pod] }));
  });
  const transport = await connectTo(server.url);
  const stopped = new AbortController();
  const limit = AbortSignal.timeout(LONG_MS);
  const names = new Set<string>();
  await watchResource(
    transport,
    { path: '/api/v1/pods', project: ({ metadata }) => metadata.name },
    (event) => {
      if (event.type === 'upsert') names.add(event.name);
      if (event.type === 'synced' && turns.length === 0 && names.has('a')) stopped.abort();
    },
    {
      signal: AbortSignal.any([stopped.signal, limit]),
      timing: { backoffMs: 1, backoffCapMs: 5, retryAfterCapMs: 5, bookmarkMs: 200, silenceMs: 200 },
    },
  );
  expect(limit.aborted).toBe(false);
}

describe('watchResource', () => {
  test.each(TORN)('goes on after %s', async (_name, body) => {
    await watchThrough(answer(body), answer(body, { torn: true }));
  });

  test.each(BROKEN.filter(([, { status }]) => status < 300))(
    'lists again after %s',
    async (_name, answer) => {
      await watchThrough(json({ kind: 'Status', code: 422 }, 422), answer);
    },
  );

  test('goes on after lines with whatever in their fields', async () => {
    const lines = fc.array(
      fc.tuple(fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'x'), value),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(lines, (some) =>
        watchThrough(answer(some.map(([type, of]) => line(type, of)).join(''))),
      ),
      { numRuns: 100 },
    );
  });

  test('is refused, or goes on, with whatever in a Status', async () => {
    await fc.assert(
      fc.asyncProperty(statuses, fc.constantFrom(400, 403, 410, 429, 500, 503), async (body, code) => {
        try {
          await watchThrough(json(body, code));
        } catch (error) {
          expectOwn(error);
        }
      }),
      { numRuns: 100 },
    );
  });
});
