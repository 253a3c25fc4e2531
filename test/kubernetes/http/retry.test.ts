import { describe, expect, test } from 'vitest';
import { ApiError, NetworkError } from '../../../src/kubernetes/error.ts';
import { isRetryable, retryDelay } from '../../../src/kubernetes/http/retry.ts';

const api = (status: number, message = '', retryAfter?: number) =>
  new ApiError({ status, message, retryAfter });
const network = (code: string) => new NetworkError('https://server', code, code);

describe('isRetryable', () => {
  test.each([
    [network('ECONNRESET'), true, false],
    [network('UND_ERR_SOCKET'), true, false],
    [network('UND_ERR_HEADERS_TIMEOUT'), true, false],
    [network('ECONNREFUSED'), true, true],
    [network('ENOTFOUND'), true, true],
    [network('CERT_HAS_EXPIRED'), false, false],
    [network('SELF_SIGNED_CERT_IN_CHAIN'), false, false],
    [network('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), false, false],
    [network('NOT_JSON'), false, false],
    [api(429), true, true],
    [api(502), true, false],
    [api(503), true, false],
    [api(504), true, false],
    [api(500, 'etcdserver: request timed out'), true, false],
    [api(500, 'raft proposal dropped'), true, false],
    [api(500, 'failed calling webhook "a": timeout'), true, false],
    [api(500, 'panic'), false, false],
    [api(409, 'resourcequotas "q" : the object has been modified'), true, false],
    [api(409, 'the object has been modified'), false, false],
    [api(401), false, false],
    [api(422), false, false],
    [new TypeError('a defect'), false, false],
  ])('%s: %s when idempotent, %s when not', (error, idempotent, otherwise) => {
    expect(isRetryable(error, true)).toBe(idempotent);
    expect(isRetryable(error, false)).toBe(otherwise);
  });
});

describe('retryDelay', () => {
  test('grows with full jitter up to a limit', () => {
    const longest = [0, 1, 2, 3, 10, 60].map((attempt) => retryDelay(api(503), attempt, () => 1));
    expect(longest).toEqual([250, 500, 1000, 2000, 10_000, 10_000]);
    expect(retryDelay(api(503), 5, () => 0)).toBe(0);
  });

  test('is never shorter than the server asks for', () => {
    expect(retryDelay(api(429, '', 7), 0, () => 0)).toBe(7000);
    const details = { retryAfterSeconds: 3 };
    expect(retryDelay(new ApiError({ status: 500, message: '', details }), 0, () => 0)).toBe(3000);
  });
});
