import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type KeyPair, newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import type { Config } from '../../../src/config/config.ts';
import type { AgentFacts } from '../../../src/consul/agent/facts.ts';
import type { RpcOnWire } from '../../../src/consul/rpc/wire.ts';
import { type NewCertificates, tlsObstacles } from '../../../src/steps/adoption/tls-obstacle.ts';
import { config } from '../../session/fixture.ts';
import { authority, DAY_MS, pairs } from '../encryption/tls-files.ts';

type Seen = Parameters<typeof tlsObstacles>[1][number];

const ours = { authorities: authority.certificate, ...(await pairs()), isNew: true };
const another = await newAuthority('another');
/** With another name, and another key. */
const old = await newLeaf(authority, { dns: ['server.dc1.consul'], ips: [] });
const verifying = { verifiesCertificates: true, dialsWithTls: true, autoEncrypts: false, domain: 'consul' };

const shows = (pair: KeyPair, takesPlaintext = false): RpcOnWire => {
  return { takesPlaintext, certificate: new X509Certificate(pair.certificate) };
};

const server = (ordinal: number, rpc: RpcOnWire | undefined, facts: Partial<AgentFacts> = {}): Seen => ({
  role: 'server',
  pod: { name: `consul-server-${ordinal}` },
  facts: { ...verifying, ...facts } as AgentFacts,
  ...(rpc && { rpc }),
});

const client = (facts: Partial<AgentFacts> = {}): Seen => {
  return {
    role: 'client',
    pod: { name: 'consul-client-0' },
    facts: { ...verifying, ...facts } as AgentFacts,
  };
};

const theirs = await newLeaf(another, { dns: ['client.dc1.consul'], ips: [] });
const stranger = await newLeaf(another, { dns: ['server.dc1.consul'], ips: [] });
const nameless = await newLeaf(authority, { dns: ['server.dc1.other'], ips: [] });
const expired = await newLeaf(authority, { dns: ['server.dc1.consul'], ips: [] }, Date.now() - 100 * DAY_MS);
const SERVERS = [0, 1, 2].map((ordinal) => server(ordinal, shows(old)));

function told(
  agents: readonly Seen[],
  { certificates = ours, change = {} }: { certificates?: NewCertificates; change?: Partial<Config> } = {},
): string[] {
  return tlsObstacles(config(change), agents, certificates).map(({ what, cure }) => `${what} | ${cure}`);
}

describe('agents that verify certificates', () => {
  it('are no obstacle where both sides have certificates of one authority', () => {
    expect(told([...SERVERS, client()])).toEqual([]);
    expect(told([...SERVERS, { ...client(), certificate: ours.client.certificate }])).toEqual([]);
  });

  it('are one without certificates, and the cure says how to give them', () => {
    const [obstacle, ...more] = tlsObstacles(config(), [...SERVERS, client()], undefined);
    expect(more).toEqual([]);
    expect(obstacle?.what).toMatch(/^agents have to show certificates at consul-server-0.*have none$/);
    expect(obstacle?.cure).toContain(
      'kubectl -n consul create secret generic consul-server-certificate --from-file=ca.crt --from-file=tls.crt --from-file=tls.key, for server.dc1.consul',
    );
    expect(obstacle?.cure).toContain('`tls-client-secret: consul-client-certificate`');
  });

  it('are none where no agent does, whatever is given', () => {
    const plain = { verifiesCertificates: false, dialsWithTls: false };
    const agents = [server(0, undefined, plain), client(plain)];
    expect(told(agents)).toEqual([]);
    expect(tlsObstacles(config(), agents, undefined)).toEqual([]);
  });

  it.each<[string, Seen[], RegExp]>([
    [
      'a server that takes plaintext',
      [server(0, shows(old, true)), server(1, shows(old))],
      /^agents use TLS for RPC, and consul-server-0 take plaintext as well/,
    ],
    [
      'a server whose port was not seen',
      [server(0, undefined), server(1, shows(old))],
      /^agents use TLS for RPC, and it was not seen what consul-server-0 take/,
    ],
    [
      'a server that did not tell, and was not seen',
      [{ role: 'server', pod: { name: 'consul-server-0' } }, server(1, shows(old))],
      /it was not seen what consul-server-0 take/,
    ],
    [
      'a client in plaintext',
      [...SERVERS, client({ dialsWithTls: false })],
      /consul-client-0 dial in plaintext/,
    ],
    [
      'a client of another authority',
      [...SERVERS, { ...client(), certificate: theirs.certificate }],
      /^the certificates of consul-client-0 are not signed by .*CN=consul-deploy another/,
    ],
    [
      'a client whose certificate cannot be read',
      [...SERVERS, { ...client(), certificate: '' }],
      /^the certificates of consul-client-0 cannot be read in their pods/,
    ],
    ['certificates that servers give out', [...SERVERS, client({ autoEncrypts: true })], /auto_encrypt/],
    [
      'a server of another authority',
      [...SERVERS.slice(1), server(0, shows(stranger))],
      /^the certificates of consul-server-0 are not signed by the authority .*CN=consul-deploy another/,
    ],
    [
      'a server without the name that new agents ask for',
      [server(0, shows(nameless))],
      /^the certificates of consul-server-0 are not for server\.dc1\.consul/,
    ],
    [
      'a certificate that has expired',
      [server(0, shows(expired))],
      /^the certificates of consul-server-0 have expired/,
    ],
    [
      'a domain that the new certificate is not for',
      [...SERVERS, client({ domain: 'cluster.local' })],
      /does not carry the name server\.dc1\.cluster\.local/,
    ],
    ['no server that could be asked', [client()], /no old server is there that could be asked whose/],
  ])('are one with %s', (_, agents, words) => {
    expect(told(agents)).toEqual([expect.stringMatching(words)]);
  });

  it('are one where the old agents trust only one of the authorities that are given, and not the one of the new leaves', async () => {
    const certificates = {
      ...ours,
      ...(await pairs(another)),
      authorities: authority.certificate + another.certificate,
    };
    expect(told(SERVERS, { certificates })).toEqual([
      expect.stringMatching(
        /that the new agents would have are not of the authority of those of consul-server-0/,
      ),
    ]);
    expect(told(SERVERS, { certificates: { ...certificates, ...(await pairs()) } })).toEqual([]);
  });

  it('may have clients of another authority than their servers, where the new ones know both', () => {
    const authorities = authority.certificate + another.certificate;
    const agents = [...SERVERS, { ...client(), certificate: theirs.certificate }];
    expect(told(agents, { certificates: { ...ours, authorities } })).toEqual([]);
  });

  it('are one where they get certificates from the servers, and verify nothing: they dial with TLS all the same', () => {
    const lax = { verifiesCertificates: false, dialsWithTls: false, autoEncrypts: true };
    expect(told([...SERVERS, client(lax)])).toContainEqual(expect.stringMatching(/auto_encrypt/));
  });

  it('need no old server where a run before has moved them all', () => {
    expect(told([client()], { certificates: { ...ours, isNew: false } })).toEqual([]);
  });

  it.each<[string, Partial<Config>]>([
    ['an input that ends it', { tls: 'false' }],
    ['TLS in the configuration', { serverConfig: { format: 'json', text: '{"tls":{}}' } }],
  ])('are one with %s', (_, change) => {
    expect(told(SERVERS, { change })).toEqual([
      expect.stringMatching(/have to show certificates, and .* \| Leave that out/),
    ]);
  });
});
