import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { expect } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { ApiError, apiFailure, NetworkError } from '../../src/kubernetes/error.ts';

/** A bound, not a measure: nothing here waits for so long. */
export const LONG_MS = 10_000;

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
  /** The connection breaks before the end. */
  torn?: boolean;
}

export const answer = (body: string | Buffer, change: Partial<Answer> = {}): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
  ...change,
});
export const json = (body: unknown, status = 200) => answer(JSON.stringify(body), { status });
export const type = (of: string) => ({ headers: { 'content-type': of } });

export function give(response: ServerResponse, { status, headers, body, torn }: Answer): void {
  if (!torn) return void response.writeHead(status, headers).end(body);
  response.writeHead(status, { ...headers, 'content-length': String(body.length + 100) });
  response.write(body, () => response.socket?.destroy());
}

export const MEGABYTES = 'x'.repeat(5_000_000);
export const DEEP = 100_000;
export const BROKEN: [name: string, answer: Answer][] = [
  ['truncated JSON', answer('{"kind": "EventList", "items": [{"metadata": {"na')],
  ['a torn body', answer('{"kind": "EventList", "items": [', { torn: true })],
  ['no JSON', answer('password=secret')],
  ['a page of a proxy', answer('<html>sign in</html>', type('text/html'))],
  ['JSON that says to be a page', answer('{"items": []}', type('text/html'))],
  ['JSON without a type', answer('{"items": []}', { headers: {} })],
  ['nothing', answer('')],
  ['no content', answer('', { status: 204 })],
  ['an empty error', answer('', { status: 503 })],
  ['gzip that is none', answer('{}', { headers: { 'content-encoding': 'gzip' } })],
  ['bytes that are no text', answer(Buffer.from([0x22, 0xff, 0xfe, 0x00, 0x22]))],
  [
    '5 MB of text',
    answer(JSON.stringify({ kind: MEGABYTES, items: [{ kind: MEGABYTES }], metadata: MEGABYTES })),
  ],
  ['5 MB that never close', answer(`[${MEGABYTES}`)],
  ['5 MB of an error', answer(MEGABYTES, { status: 500 })],
  ['deep arrays', answer('['.repeat(DEEP) + ']'.repeat(DEEP))],
  ['a deep field', answer(`{"items": ${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`)],
  ['a redirection', answer('', { status: 302, headers: { location: '/elsewhere' } })],
  ['null', json(null)],
  ['a number', json(5)],
  ['a string', json('items')],
  ['an array', json([{ metadata: null }])],
];

/** Names that are looked at, with whatever JSON behind them. */
const FIELDS = `
  apiVersion kind metadata items status spec data name uid managedFields resourceVersion
  continue versions version groups groupVersion resources resource scope responseKind
  namespaced reason message count series lastTimestamp code details causes field
  retryAfterSeconds type object annotations
`
  .trim()
  .split(/\s+/);
const KINDS = ['APIGroupDiscoveryList', 'APIVersions', 'APIGroupList', 'Status', 'EventList', 'ConfigMap'];
export const { value } = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom<unknown>(null, '', 'v1', 'apps', 'consul', 0, -1, 1e308, true, [], {}, [null], ...KINDS),
    { arbitrary: tie('object'), weight: 4 },
    fc.array(tie('object'), { maxLength: 3 }),
  ),
  object: fc.dictionary(fc.constantFrom(...FIELDS), tie('value'), { maxKeys: 6 }),
}));
const objects = fc
  .tuple(fc.dictionary(fc.constantFrom(...FIELDS), value), fc.constantFrom(...KINDS))
  .map(([fields, kind]): Record<string, unknown> => ({ kind, ...fields }));
export const statuses = fc
  .record({ details: value, causes: value, cause: value, more: objects })
  .map(({ details, causes, cause, more }) => ({
    message: 'Apply failed with 1 conflict: field is immutable',
    ...more,
    kind: 'Status',
    details:
      typeof details === 'object' ? { causes: [cause], retryAfterSeconds: causes, ...details } : details,
  }));
export const answers = fc.oneof(
  objects.map((body) => json(body)),
  fc
    .tuple(statuses, fc.constantFrom(400, 401, 403, 404, 409, 410, 422, 429, 500, 503))
    .map(([body, code]) => json(body, code)),
  fc.constantFrom(...BROKEN.map(([, one]) => one).filter(({ body }) => body.length < 1_000)),
);

/** One of the project's own, which can be told to the user. */
export function expectOwn(error: unknown): void {
  const known = error instanceof ApiError || error instanceof NetworkError || error instanceof Failure;
  if (!known) throw error;
  const failure = apiFailure(error, { verb: 'get', object: 'ConfigMap/consul' });
  // `internal` stands for a defect.
  if (failure.reason === 'internal') throw failure.cause;
  expect([failure.what, ...failure.details].every((text) => typeof text === 'string')).toBe(true);
  expect(failure.message).not.toContain('secret');
}
