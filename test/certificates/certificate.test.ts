import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  AUTHORITY_DAYS,
  type KeyPair,
  LEAF_DAYS,
  newAuthority,
  newLeaf,
} from '../../src/certificates/authority.ts';
import { certificatesIn, faultsOf, lifeOf, namesIn } from '../../src/certificates/certificate.ts';

const DAY_MS = 86_400_000;
const NAMES = { dns: ['server.dc1.consul', 'localhost'], ips: ['127.0.0.1', '::1'] };
const USE = { name: 'server.dc1.consul' };
const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

/** Made in each test: what is made when this file is loaded is the same in all of them. */
async function pairs() {
  const authority = await newAuthority('consul');
  return { authority, leaf: await newLeaf(authority, NAMES) };
}

/** OpenSSL, which shares no code with what made the certificates. */
function openssl(args: readonly string[], files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return execFileSync('openssl', args, { cwd: directory, encoding: 'utf8' });
}

describe('certificates that a deploy makes', () => {
  test('are taken by OpenSSL, for servers and for clients, under their name', async () => {
    const { authority, leaf } = await pairs();
    const files = { 'ca.pem': authority.certificate, 'leaf.pem': leaf.certificate };
    for (const purpose of ['sslserver', 'sslclient']) {
      const asked = ['-x509_strict', '-purpose', purpose, '-verify_hostname', USE.name, 'leaf.pem'];
      expect(openssl(['verify', '-CAfile', 'ca.pem', ...asked], files)).toBe('leaf.pem: OK\n');
    }
  });

  test('carry the names and addresses that were asked for, and no others', async () => {
    const { leaf } = await pairs();
    const text = openssl(['x509', '-in', 'leaf.pem', '-noout', '-ext', 'subjectAltName'], {
      'leaf.pem': leaf.certificate,
    });
    expect(certificatesIn(leaf.certificate)?.[0]?.subject).toBe('CN=server.dc1.consul');
    expect(text.split('\n')[1]?.trim()).toBe(
      'DNS:server.dc1.consul, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
  });

  test('an authority may sign leaves, and no other authority', async () => {
    const { authority } = await pairs();
    const text = openssl(['x509', '-in', 'ca.pem', '-noout', '-ext', 'basicConstraints,keyUsage'], {
      'ca.pem': authority.certificate,
    });
    expect(text).toMatch(/Basic Constraints: critical\n\s*CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/Key Usage: critical\n\s*Certificate Sign, CRL Sign\n/);
  });

  test('a leaf may sign nothing but what it says itself, for both directions', async () => {
    const { authority, leaf } = await pairs();
    const all = 'basicConstraints,keyUsage,extendedKeyUsage,subjectKeyIdentifier,authorityKeyIdentifier';
    const text = openssl(['x509', '-in', 'leaf.pem', '-noout', '-ext', all], {
      'leaf.pem': leaf.certificate,
    });
    const lines = text.split('\n').map((line) => line.trim());
    const after = (title: RegExp) => lines[lines.findIndex((line) => title.test(line)) + 1];
    expect(after(/Basic Constraints: critical/)).toBe('CA:FALSE');
    expect(after(/X509v3 Key Usage: critical/)).toBe('Digital Signature');
    expect(after(/Extended Key Usage:/)).toBe('TLS Web Server Authentication, TLS Web Client Authentication');
    expect(after(/Subject Key Identifier:/)).toMatch(/^[0-9A-F:]{59}$/);
    const root = openssl(['x509', '-in', 'ca.pem', '-noout', '-ext', 'subjectKeyIdentifier'], {
      'ca.pem': authority.certificate,
    });
    expect(after(/Authority Key Identifier:/)?.replace('keyid:', '')).toBe(root.split('\n')[1]?.trim());
  });

  test('have a positive serial number of 16 bytes, another one each', async () => {
    const { authority, leaf } = await pairs();
    const serials = [leaf, await newLeaf(authority, NAMES), authority].map(
      ({ certificate }) => certificatesIn(certificate)?.[0]?.serialNumber ?? '',
    );
    expect(new Set(serials).size).toBe(3);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  test('hold from ten minutes ago, since clocks differ, for their time', async () => {
    const now = Date.parse('2026-05-01T12:00:00Z');
    const [made] =
      certificatesIn((await newLeaf(await newAuthority('x', now), NAMES, now)).certificate) ?? [];
    expect(made?.validFromDate.toISOString()).toBe('2026-05-01T11:50:00.000Z');
    expect(made?.validToDate.toISOString()).toBe('2026-07-30T12:00:00.000Z');
    const [root] = certificatesIn((await newAuthority('x', now)).certificate) ?? [];
    expect(root?.validFromDate.toISOString()).toBe('2026-05-01T11:50:00.000Z');
    expect(root?.validToDate.getTime()).toBe(now + AUTHORITY_DAYS * DAY_MS);
  });

  test('two authorities of one deployment are told apart by their names', async () => {
    const { authority } = await pairs();
    const subjects = [authority, await newAuthority('consul')].map(
      ({ certificate }) => certificatesIn(certificate)?.[0]?.subject,
    );
    expect(subjects[0]).toMatch(/^CN=consul-deploy consul [0-9a-f]{8}$/);
    expect(subjects[1]).not.toBe(subjects[0]);
  });

  test('a leaf does not outlive its authority', async () => {
    const { authority } = await pairs();
    const late = Date.now() + (AUTHORITY_DAYS - 10) * DAY_MS;
    const [made] = certificatesIn((await newLeaf(authority, NAMES, late)).certificate) ?? [];
    const [root] = certificatesIn(authority.certificate) ?? [];
    expect(made?.validToDate).toEqual(root?.validToDate);
  });
});

describe('what is in a PEM text', () => {
  test('certificates in their order, with whatever stands between them', async () => {
    const { authority, leaf } = await pairs();
    const found = certificatesIn(`a\n${leaf.certificate}\nb\n${authority.certificate}`);
    expect(found?.map(({ ca }) => ca)).toEqual([false, true]);
    expect(certificatesIn(leaf.key)).toEqual([]);
  });

  test('nothing, where one of them cannot be read', async () => {
    const { leaf } = await pairs();
    expect(certificatesIn(leaf.certificate + BROKEN)).toBeUndefined();
    expect(namesIn(BROKEN)).toEqual([]);
  });

  test('the names of the first', async () => {
    const { authority, leaf } = await pairs();
    expect(namesIn(leaf.certificate + authority.certificate)).toEqual(NAMES.dns);
    expect(namesIn(authority.certificate)).toEqual([]);
  });
});

describe('how much of its life a certificate has left', () => {
  test.each([
    [0, 'long'],
    [59, 'long'],
    [61, 'due'],
    [80, 'due'],
    [82, 'expiring'],
    [LEAF_DAYS, 'over'],
  ])('after %i days: %s', async (days, life) => {
    const [one] = certificatesIn((await pairs()).leaf.certificate) ?? [];
    if (!one) throw new TypeError('no certificate');
    expect(lifeOf(one, Date.now() + days * DAY_MS)).toBe(life);
  });

  test.each([
    [66, 'long'],
    [67, 'due'],
    [90, 'due'],
    [91, 'expiring'],
    [99, 'expiring'],
    [100, 'over'],
  ])('of a hundred days after %i: %s', (days, life) => {
    const whole = { validFromDate: new Date(0), validToDate: new Date(100 * DAY_MS) };
    expect(lifeOf(whole, days * DAY_MS)).toBe(life);
  });
});

describe('what speaks against a pair', () => {
  test('nothing, of one that was made here', async () => {
    const { authority, leaf } = await pairs();
    expect(faultsOf(leaf, authority.certificate, USE)).toEqual([]);
  });

  test('nothing, of one among other authorities', async () => {
    const { authority, leaf } = await pairs();
    const other = await newAuthority('other');
    expect(faultsOf(leaf, other.certificate + authority.certificate, USE)).toEqual([]);
  });

  test('another key, another authority, another name: all at once', async () => {
    const { leaf } = await pairs();
    const other = await newAuthority('other');
    expect(faultsOf({ ...leaf, key: other.key }, other.certificate, { name: 'server.dc2.consul' })).toEqual([
      'the private key is not that of the certificate',
      'the certificate is not signed by the authority',
      'the certificate does not carry the name server.dc2.consul',
    ]);
  });

  test('a client that could pose as a server', async () => {
    const { authority, leaf } = await pairs();
    expect(faultsOf(leaf, authority.certificate, { name: 'localhost', not: USE.name })).toEqual([
      'the certificate carries the name server.dc1.consul, so whoever holds it could pose as a server',
    ]);
  });

  test('a chain that leads to the authority through another one speaks not against it, without the other it does', async () => {
    const { authority } = await pairs();
    const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const script = [
      'new() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -subj /CN=$1 -out $1.csr 2>/dev/null; }',
      'sign() { openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 5 -extfile $3 -out $1.pem 2>/dev/null; }',
      'echo basicConstraints=critical,CA:TRUE > ca.txt',
      'echo subjectAltName=DNS:server.dc1.consul > leaf.txt',
      'new root; new middle; new leaf',
      'openssl x509 -req -in root.csr -signkey root.key -days 5 -extfile ca.txt -out root.pem 2>/dev/null',
      'sign middle root ca.txt; sign leaf middle leaf.txt',
    ].join('\n');
    execFileSync('sh', ['-c', script], { cwd: directory });
    const read = (name: string) => readFileSync(join(directory, name), 'utf8');
    const pair = { certificate: read('leaf.pem') + read('middle.pem'), key: read('leaf.key') };
    expect(faultsOf(pair, read('root.pem'), USE)).toEqual([]);
    expect(faultsOf({ ...pair, certificate: read('leaf.pem') }, read('root.pem'), USE)).toEqual([
      'the certificate is not signed by the authority',
    ]);
    // One that brings its own authority along is still not signed by ours.
    const own = { ...pair, certificate: pair.certificate + read('root.pem') };
    expect(faultsOf(own, authority.certificate, USE)).toEqual([
      'the certificate is not signed by the authority',
    ]);
  });

  test('an authority whose time is over', async () => {
    const { authority, leaf } = await pairs();
    const later = Date.now() + (AUTHORITY_DAYS + 1) * DAY_MS;
    expect(faultsOf(leaf, authority.certificate, USE, later)).toEqual([
      expect.stringMatching(/^the certificate has expired at 20/),
      expect.stringMatching(/^the authority has expired at 20/),
    ]);
  });

  test('a key that cannot be read', async () => {
    const { authority, leaf } = await pairs();
    expect(faultsOf({ ...leaf, key: 'none' }, authority.certificate, USE)).toEqual([
      'the private key is not that of the certificate',
    ]);
  });

  test('a time that is over, or has not come', async () => {
    const { authority, leaf } = await pairs();
    const later = faultsOf(leaf, authority.certificate, USE, Date.now() + 2 * LEAF_DAYS * DAY_MS);
    expect(later).toEqual([expect.stringMatching(/^the certificate has expired at 20/)]);
    const sooner = faultsOf(leaf, authority.certificate, USE, Date.now() - DAY_MS);
    expect(sooner.map((fault) => fault.slice(0, 36))).toEqual([
      'the certificate is not valid before ',
      'the authority is not valid before 20',
    ]);
  });

  test.each<[string, (pair: KeyPair, authorities: string) => string[], string]>([
    [
      'no certificate',
      (pair, authorities) => faultsOf({ ...pair, certificate: '' }, authorities, USE),
      'the certificate cannot be read as PEM',
    ],
    ['no authority', (pair) => faultsOf(pair, '', USE), 'there is no authority in PEM (`ca.crt`)'],
    [
      'a certificate that is damaged',
      (pair, authorities) => faultsOf({ ...pair, certificate: BROKEN }, authorities, USE),
      'the certificate cannot be read as PEM',
    ],
    [
      'an authority that is damaged',
      (pair) => faultsOf(pair, BROKEN, USE),
      'there is no authority in PEM (`ca.crt`)',
    ],
    [
      'a leaf in place of the authority',
      (pair) => faultsOf(pair, pair.certificate, USE),
      'the authority is none: its certificate may not sign others',
    ],
    [
      'a leaf beside the authority',
      (pair, authorities) => faultsOf(pair, authorities + pair.certificate, USE),
      'the authority is none: its certificate may not sign others',
    ],
  ])('%s', async (_, faultsIn, fault) => {
    const { authority, leaf } = await pairs();
    expect(faultsIn(leaf, authority.certificate)).toContain(fault);
  });

  test('only from its first moment on and until its last', async () => {
    const { authority, leaf } = await pairs();
    const [one] = certificatesIn(leaf.certificate) ?? [];
    const at = (date: Date | undefined) => faultsOf(leaf, authority.certificate, USE, date?.getTime());
    expect(at(one?.validFromDate)).toEqual([]);
    expect(at(one?.validToDate)).toEqual([expect.stringMatching(/^the certificate has expired/)]);
  });

  test('nothing, of one whose name has a star in place of its first part', async () => {
    const { authority } = await pairs();
    const leaf = await newLeaf(authority, { dns: ['*.dc1.consul'], ips: [] });
    expect(faultsOf(leaf, authority.certificate, USE)).toEqual([]);
    expect(faultsOf(leaf, authority.certificate, { name: 'dc1.consul' })).toHaveLength(1);
  });

  test('that it carries its name only as its subject, where Consul does not look', () => {
    const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const script =
      'openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -days 5 -subj /CN=server.dc1.consul 2>/dev/null';
    const certificate = execFileSync('sh', ['-c', script], { cwd: directory, encoding: 'utf8' });
    const pair = { certificate, key: readFileSync(join(directory, 'k.pem'), 'utf8') };
    expect(faultsOf(pair, certificate, USE)).toEqual([
      'the certificate does not carry the name server.dc1.consul',
    ]);
  });

  test('that an authority of another name with the same key has signed it, and not this one', async () => {
    const { leaf, authority } = await pairs();
    const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'ca.key'), authority.key);
    const args = ['req', '-x509', '-new', '-key', 'ca.key', '-days', '5', '-subj', '/CN=other'];
    const other = execFileSync('openssl', args, { cwd: directory, encoding: 'utf8' });
    expect(faultsOf(leaf, other, USE)).toEqual(['the certificate is not signed by the authority']);
  });

  test('that an authority of the same name has signed it, and not this one', async () => {
    const { leaf, authority } = await pairs();
    const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const [subject] = certificatesIn(authority.certificate)?.map((one) => one.subject) ?? [];
    const script =
      'openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -days 5 -subj "$1" 2>/dev/null';
    const other = execFileSync('sh', ['-c', script, 'sh', `/${subject}`], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(certificatesIn(other)?.[0]?.subject).toBe(subject);
    expect(faultsOf(leaf, other, USE)).toEqual(['the certificate is not signed by the authority']);
  });

  test('a certificate that is not for clients', async () => {
    const { authority } = await pairs();
    const files = { 'ca.pem': authority.certificate, 'ca.key': authority.key };
    const script = [
      'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -subj /CN=x -out r.pem 2>/dev/null',
      'printf "subjectAltName=DNS:server.dc1.consul\\nextendedKeyUsage=serverAuth\\n" > e.txt',
      'openssl x509 -req -in r.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 5 -extfile e.txt 2>/dev/null',
    ].join('; ');
    const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const certificate = execFileSync('sh', ['-c', script], { cwd: directory, encoding: 'utf8' });
    const key = execFileSync('cat', ['k.pem'], { cwd: directory, encoding: 'utf8' });
    expect(faultsOf({ certificate, key }, authority.certificate, USE)).toEqual([
      'the certificate is not for clients (extended key usage clientAuth)',
    ]);
  });
});
