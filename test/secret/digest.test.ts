import { describe, expect, test } from 'vitest';
import { secretDigest, withSecretDigest } from '../../src/secret/digest.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const secret = (data: object, metadata: object = {}) => ({
  kind: 'Secret',
  metadata: { name: 'key', namespace: 'consul', ...metadata },
  ...data,
});

describe('the digest of a Secret', () => {
  const one = secretDigest(secret({ data: { a: base64('1'), b: base64('2') } }));

  test('is equal for equal data, however it is written', () => {
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(secretDigest(secret({ data: { b: base64('2'), a: base64('1') } }))).toBe(one);
    expect(secretDigest(secret({ stringData: { a: '1', b: '2' } }))).toBe(one);
    expect(secretDigest(secret({ data: { a: base64('1') }, stringData: { b: '2' } }))).toBe(one);
    expect(secretDigest(secret({ data: { a: base64('1'), b: base64('2') } }, { labels: { a: 'b' } }))).toBe(
      one,
    );
  });

  test.each([
    ['another value', secret({ data: { a: base64('1'), b: base64('3') } })],
    ['another key', secret({ data: { a: base64('1'), c: base64('2') } })],
    ['another name', secret({ data: { a: base64('1'), b: base64('2') } }, { name: 'other' })],
    ['another namespace', secret({ data: { a: base64('1'), b: base64('2') } }, { namespace: 'other' })],
    ['nothing in it', secret({})],
  ])('differs for %s', (_, other) => expect(secretDigest(other)).not.toBe(one));

  test('stands for the data, and for nothing else', () => {
    const object = secret({ data: { a: base64('1') }, stringData: { b: '2' }, type: 'Opaque' });
    expect(withSecretDigest(object)).toEqual({
      kind: 'Secret',
      metadata: object.metadata,
      type: 'Opaque',
      data: { digest: one },
    });
    const map = { kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: 'b' } };
    expect(withSecretDigest(map)).toBe(map);
  });
});
