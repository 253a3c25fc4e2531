import { createHash, randomBytes, type webcrypto } from 'node:crypto';

/** A certificate and its private key, both in PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** Consul takes ECDSA with P-256; RSA would be ten times as slow to make. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Only when it is needed: it is a tenth of the whole action. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  // Before it, as it registers its parts there.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Clocks of nodes differ. */
const SKEW_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
export const AUTHORITY_DAYS = 3650;
export const LEAF_DAYS = 90;

/** For whom a leaf is. A client's must never carry the name of a server, or who holds it could pose as one. */
export interface LeafNames {
  /** The first is the subject. */
  dns: readonly string[];
  ips: readonly string[];
}

/**
 * A new authority that signs itself. Its name has a part of its key's hash, so that two of one deployment are told apart.
 * @param now milliseconds since 1970
 */
export async function newAuthority(deployment: string, now = Date.now()): Promise<KeyPair> {
  const x509 = await library();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey));
  const id = createHash('sha256').update(spki).digest('hex').slice(0, 8);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=consul-deploy ${deployment} ${id}`,
    ...validity(now, AUTHORITY_DAYS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await keyPem(keys.privateKey) };
}

/**
 * A leaf for both directions: a server is a client of the others.
 * @param now milliseconds since 1970
 */
export async function newLeaf(authority: KeyPair, names: LeafNames, now = Date.now()): Promise<KeyPair> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await signingKeyOf(authority);
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    issuer: issuer.subject,
    subject: `CN=${names.dns[0]}`,
    ...validity(now, LEAF_DAYS, issuer.notAfter),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns', value }) as const),
        ...names.ips.map((value) => ({ type: 'ip', value }) as const),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await keyPem(keys.privateKey) };
}

function validity(now: number, days: number, atMost?: Date): { notBefore: Date; notAfter: Date } {
  const end = now + days * DAY_MS;
  return { notBefore: new Date(now - SKEW_MS), notAfter: new Date(Math.min(end, atMost?.getTime() ?? end)) };
}

/** Positive, as https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2 asks. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const { PemConverter } = await library();
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

async function signingKeyOf({ key }: KeyPair): Promise<webcrypto.CryptoKey> {
  const { PemConverter } = await library();
  const [der] = PemConverter.decode(key);
  return crypto.subtle.importKey('pkcs8', der as ArrayBuffer, ALGORITHM, false, ['sign']);
}
