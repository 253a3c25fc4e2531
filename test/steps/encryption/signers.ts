import { X509Certificate } from 'node:crypto';
import { expect } from 'vitest';
import type { EncryptionWorld } from './encryption-world.ts';

export const subject = ({ certificate }: { certificate: string }) => new X509Certificate(certificate).subject;

/** Who has signed what the agents have, and whom they trust; the same at each, and without a restart. */
export function signers(made: EncryptionWorld): { signed: string; trusted: string } {
  expect(made.broken).toEqual([]);
  expect(made.happened('restart')).toEqual([]);
  const found = made.agents.map(({ tls }) => {
    const each = tls.ca.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    const trusted = each.map((certificate) => subject({ certificate })).join();
    return JSON.stringify({ signed: new X509Certificate(tls.certificate).issuer, trusted });
  });
  expect(new Set(found).size).toBe(1);
  return JSON.parse(found[0] ?? '');
}
