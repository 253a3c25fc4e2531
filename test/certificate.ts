import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate that signs itself, for one DNS name and one address, recreated so that no key lies in the repository. */
export function selfSigned(name: string, ip = '127.0.0.1'): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(ECDSA_SHA256);
  const body = certificateBody(name, ip, publicKey, algorithm);
  const cert = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}

// X.509 in DER (RFC 5280, section 4.1), as little of it as TLS asks for.
const ECDSA_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');

function certificateBody(name: string, ip: string, publicKey: KeyObject, algorithm: Buffer): Buffer {
  const issuer = sequence(tlv(0x31, sequence(COMMON_NAME, tlv(0x0c, Buffer.from(name)))));
  const time = (text: string) => tlv(0x18, Buffer.from(text));
  const validity = sequence(time('20200101000000Z'), time('21200101000000Z'));
  const names = sequence(tlv(0x82, Buffer.from(name)), tlv(0x87, Buffer.from(ip.split('.').map(Number))));
  const extensions = sequence(sequence(SUBJECT_ALT_NAME, tlv(0x04, names)));
  return sequence(
    tlv(0xa0, Buffer.from('020102', 'hex')),
    Buffer.from('020101', 'hex'),
    algorithm,
    issuer,
    validity,
    issuer,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  );
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function bits(content: Buffer): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.of(0), content]));
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...(length < 128 ? [length] : long)), content]);
}
