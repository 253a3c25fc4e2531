import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyPair } from './authority.ts';

/** A leaf is due for renewal when less than this part of its life is left. */
const DUE = 1 / 3;
/** And a verification fails when less than this part is left. */
const EXPIRING = 1 / 10;

/** The certificates in a PEM text, in their order; undefined where one of them cannot be read. */
export function certificatesIn(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/** How much of a certificate's life is left. */
export type Life = 'long' | 'due' | 'expiring' | 'over';

/** @param now milliseconds since 1970 */
export function lifeOf(
  { validFromDate: from, validToDate: to }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>,
  now = Date.now(),
): Life {
  const left = (to.getTime() - now) / (to.getTime() - from.getTime());
  if (left <= 0) return 'over';
  if (left < EXPIRING) return 'expiring';
  return left < DUE ? 'due' : 'long';
}

/** The names that the first certificate of a PEM text carries. */
export function namesIn(pem: string): string[] {
  const [leaf] = certificatesIn(pem) ?? [];
  return [...(leaf?.subjectAltName ?? '').matchAll(/DNS:([^,"]+)/g)].map(([, name = '']) => name);
}

/** What a leaf has to be for Consul to take it. */
export interface LeafUse {
  /** A name that it has to carry. */
  name: string;
  /** One that it must not carry. */
  not?: string;
}

/**
 * What speaks against a pair and its authorities, one sentence each. Consul refuses a pair that does not match only after
 * it has taken its services away, so all is looked at before anything is written.
 * @param now milliseconds since 1970
 */
export function faultsOf(
  pair: KeyPair,
  authorities: string,
  { name, not }: LeafUse,
  now = Date.now(),
): string[] {
  const [leaf, ...between] = certificatesIn(pair.certificate) ?? [];
  const roots = certificatesIn(authorities) ?? [];
  if (!leaf) return ['the certificate cannot be read as PEM'];
  if (roots.length === 0) return ['there is no authority in PEM (`ca.crt`)'];
  const faults: string[] = [];
  if (!fits(leaf, pair.key)) faults.push('the private key is not that of the certificate');
  if (!isSignedBy(leaf, [...between, ...roots], roots))
    faults.push('the certificate is not signed by the authority');
  for (const [what, one] of [['certificate', leaf], ...roots.map((root) => ['authority', root])] as const) {
    const { validFromDate, validToDate } = one as X509Certificate;
    if (validFromDate.getTime() > now)
      faults.push(`the ${what} is not valid before ${validFromDate.toISOString()}`);
    if (validToDate.getTime() <= now) faults.push(`the ${what} has expired at ${validToDate.toISOString()}`);
  }
  if (roots.some((root) => !root.ca))
    faults.push('the authority is none: its certificate may not sign others');
  if (!names(leaf, name)) faults.push(`the certificate does not carry the name ${name}`);
  if (not !== undefined && names(leaf, not))
    faults.push(`the certificate carries the name ${not}, so whoever holds it could pose as a server`);
  for (const [usage, oid] of USAGES) {
    if (leaf.keyUsage && !leaf.keyUsage.includes(oid)) faults.push(`the certificate is not for ${usage}`);
  }
  return faults;
}

/** Whether the chain of a pair leads to this authority. */
export function leadsTo({ certificate }: Pick<KeyPair, 'certificate'>, authority: X509Certificate): boolean {
  const [leaf, ...between] = certificatesIn(certificate) ?? [];
  return leaf !== undefined && isSignedBy(leaf, [...between, authority], [authority]);
}

/** The one of these that has signed a certificate itself. */
export function signerOf(leaf: X509Certificate, authorities: string): X509Certificate | undefined {
  return certificatesIn(authorities)?.find((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey));
}

/** Extended key usages: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12 */
const USAGES = [
  ['servers (extended key usage serverAuth)', '1.3.6.1.5.5.7.3.1'],
  ['clients (extended key usage clientAuth)', '1.3.6.1.5.5.7.3.2'],
] as const;

/** Whether a certificate is for that name, by Go's rules: never by its subject. */
export function names(leaf: X509Certificate, name: string): boolean {
  return leaf.checkHost(name, { subject: 'never', wildcards: true }) !== undefined;
}

function fits(leaf: X509Certificate, key: string): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** Whether a chain of signatures leads to one of the roots. */
function isSignedBy(
  leaf: X509Certificate,
  issuers: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): boolean {
  if (roots.some(({ fingerprint256 }) => fingerprint256 === leaf.fingerprint256)) return true;
  return issuers.some((issuer) => {
    if (!leaf.checkIssued(issuer) || !leaf.verify(issuer.publicKey)) return false;
    // Each once: of one that signs itself, or of two that sign each other, there is no end.
    const others = issuers.filter((one) => one !== issuer);
    return isSignedBy(issuer, others, roots);
  });
}
