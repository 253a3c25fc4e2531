import { scryptSync } from 'node:crypto';

/** Some 0.1 s and 32 MiB for each guess. https://datatracker.ietf.org/doc/html/rfc7914#section-2 */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** A Secret as Kubernetes writes it. */
interface SecretLike {
  kind: string;
  metadata: { name: string; namespace?: string };
  data?: unknown;
  stringData?: unknown;
}

/** Computing one takes a while, and the same Secret is asked for several times in a run. */
const known = new Map<string, string>();

/**
 * A name for what is in a Secret: equal for equal data, and the only thing that is kept or shown of it. Where
 * everybody may read it, a plain hash would let a weak password be guessed by trying; a key for an HMAC would have to
 * be secret itself, and known before there is a cluster to keep it in. So it is a slow hash, over all data together:
 * one strong secret among them protects the weak ones beside it.
 */
export function secretDigest({ metadata, data, stringData }: SecretLike): string {
  const salt = `consul-deploy ${metadata.namespace ?? ''}/${metadata.name}`;
  const text = JSON.stringify([...entries(data), ...entries(stringData, encoded)].sort());
  const key = JSON.stringify([salt, text]);
  const digest = known.get(key) ?? scryptSync(text, salt, 32, COST).toString('hex');
  known.set(key, digest);
  return digest;
}

/** The object without its secrets: of a Secret the digest stands in for the data. */
export function withSecretDigest<T extends SecretLike>(object: T): T {
  if (object.kind !== 'Secret') return object;
  const { data: _data, stringData: _text, ...rest } = object;
  return { ...rest, data: { digest: secretDigest(object) } } as unknown as T;
}

function entries(
  values: unknown,
  change: (value: unknown) => unknown = (value) => value,
): [string, unknown][] {
  return Object.entries(values ?? {}).map(([key, value]) => [key, change(value)]);
}

function encoded(value: unknown): string {
  return Buffer.from(String(value)).toString('base64');
}
