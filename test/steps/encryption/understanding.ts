import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Agent, Files } from './fake-agent.ts';

/** Why an agent that starts with these files and the others, all encrypted, would not understand each other. */
export function foreign(agents: readonly Agent[], files: Files): string | undefined {
  const keys = JSON.parse(files.keyring || '[]') as string[];
  const [first] = keys;
  if (first === undefined || !agents.every(({ gossip }) => gossip.strict)) return undefined;
  if (!agents.every(({ gossip }) => gossip.keys.includes(first))) return 'a key that not all agents have';
  return agents.every(({ gossip }) => keys.includes(gossip.keys[0] ?? ''))
    ? undefined
    : 'no key of those that agents use';
}

/** RPC: why this agent is not served by some server. */
export function lack(agents: readonly Agent[], { pod, tls }: Agent): string | undefined {
  for (const server of agents.filter(({ isServer }) => isServer)) {
    const to = `${pod.name} to ${server.pod.name}`;
    if (!tls.outgoing) {
      if (server.tls.incoming) return `${to}: plaintext to one that enforces TLS`;
      continue;
    }
    if (!server.tls.certificate) return `${to}: TLS to one that has no certificate`;
    if (!server.tls.isAnnounced) return `${to}: TLS to one that has not announced it`;
    if (!isSigned(server.tls.certificate, tls.ca)) return `${to}: a certificate that it does not trust`;
    if (server.tls.incoming && !isSigned(tls.certificate, server.tls.ca))
      return `${to}: a client's certificate that is not trusted`;
  }
  return undefined;
}

/** Gossip: whom this agent does not understand. */
export function deaf(agents: readonly Agent[], { pod, gossip }: Agent): string | undefined {
  for (const other of agents) {
    if (other.isAway) continue;
    const from = `${other.pod.name} to ${pod.name}`;
    const [primary = ''] = other.gossip.keys;
    if (!other.gossip.sends && gossip.strict) return `${from}: plaintext to one that is strict`;
    if (other.gossip.sends && !gossip.keys.includes(primary)) return `${from}: a key that it does not have`;
  }
  return undefined;
}

function inPem(text: string): X509Certificate[] {
  const each = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return each.map((one) => new X509Certificate(one));
}

/** By one of these authorities. */
function isSigned(certificate: string, authorities: string): boolean {
  const [leaf] = inPem(certificate);
  return leaf !== undefined && inPem(authorities).some((one) => leaf.verify(one.publicKey));
}

export function isPair(certificate: string, key: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
}
