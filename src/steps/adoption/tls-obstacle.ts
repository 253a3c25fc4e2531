import { certificatesIn, leadsTo, lifeOf, names, namesIn, signerOf } from '../../certificates/certificate.ts';
import type { Config } from '../../config/config.ts';
import type { AgentFacts } from '../../consul/agent/facts.ts';
import { names as listed } from '../../consul/quorum/finding.ts';
import type { RpcOnWire } from '../../consul/rpc/wire.ts';
import type { TlsFiles } from '../../manifests/tls.ts';
import { hasOwnTls } from '../../manifests/tls.ts';
import type { Role } from '../../session/workloads.ts';
import { serverName, wantedServerNames } from '../encryption/leaf-names.ts';
import { ownCertificate, stateOf } from '../proof/tls.ts';
import { type Obstacle, podNames } from './obstacle-text.ts';

/** What the new agents would begin with. */
export interface NewCertificates extends Pick<TlsFiles, 'authorities' | 'server' | 'client'> {
  /** No server has them yet; otherwise those that were moved by a run before are trusted with them. */
  isNew: boolean;
}

/** What is known of an old agent. */
interface Seen {
  role: Role;
  pod: { name: string };
  facts?: AgentFacts;
  /** Of a server; absent where its port could not be looked at. */
  rpc?: RpcOnWire;
  /** Of a client, in PEM; empty where it could not be read, absent where nobody tried. */
  certificate?: string;
}

/**
 * Whether agents in plaintext could not speak to this one, or not in both directions: outgoingRPCTLSEnabled in
 * https://github.com/hashicorp/consul/blob/v1.22.7/tlsutil/config.go
 */
export function needsTls({ facts }: Pick<Seen, 'facts'>): boolean {
  return facts !== undefined && (facts.verifiesCertificates || facts.dialsWithTls || facts.autoEncrypts);
}

/**
 * New agents verify certificates from the start. So the old ones have to do it, too, and each side has to trust the
 * certificates of the other.
 */
export function tlsObstacles(
  config: Config,
  agents: readonly Seen[],
  certificates: NewCertificates | undefined,
): Obstacle[] {
  if (!agents.some(needsTls)) return [];
  const isOwn = hasOwnTls(config);
  if (isOwn || config.tls === 'false') {
    return [
      {
        what: `agents have to show certificates, and ${isOwn ? '`server-config` or `client-config` sets TLS' : '`tls` is false'}`,
        cure: `Leave that out. ${giveThem(config)}`,
      },
    ];
  }
  return [
    ...mixtures(agents),
    ...(certificates ? distrust(config, agents, certificates) : [missing(config, agents)]),
  ];
}

function missing(config: Config, agents: readonly Seen[]): Obstacle {
  const what = `agents have to show certificates at ${podNames(agents.filter(needsTls))}, and the new ones have none`;
  return { what, cure: giveThem(config) };
}

/** Where not all do the same, some of them would not understand those that verify. */
function mixtures(agents: readonly Seen[]): Obstacle[] {
  const told = agents.filter(({ facts }) => facts !== undefined);
  const servers = agents.filter(({ role }) => role === 'server');
  const states = servers.map((one) => ({ ...one, state: one.rpc && stateOf(one.rpc) }));
  const lax = states.filter(({ state }) => state === 'plaintext' || state === 'offered');
  const unseen = states.filter(({ state }) => state === undefined);
  const plain = told.filter(({ facts }) => !facts?.dialsWithTls);
  const auto = told.filter(({ facts }) => facts?.autoEncrypts);
  const found: Obstacle[] = [];
  if (lax.length > 0)
    found.push({
      what: `agents use TLS for RPC, and ${podNames(lax)} take plaintext as well`,
      cure: 'Set `verify_incoming` to true at every server, once every agent has a certificate: only then it is known that the agents take the certificates of each other.',
    });
  if (unseen.length > 0)
    found.push({
      what: `agents use TLS for RPC, and it was not seen what ${podNames(unseen)} take at port 8300`,
      cure: 'Let the servers listen for RPC at 127.0.0.1 as well (`bind_addr` 0.0.0.0), where it is looked at.',
    });
  if (plain.length > 0)
    found.push({
      what: `agents have to show certificates, and ${podNames(plain)} dial in plaintext`,
      cure: 'Set `verify_outgoing` to true at every agent first.',
    });
  if (auto.length > 0)
    found.push({
      what: `certificates come from the servers (\`auto_encrypt\` or \`auto_config\`) at ${podNames(auto)}`,
      cure: 'New servers would not know the authority of these. Give the clients certificates in files first, of the same authority as those of the servers.',
    });
  return found;
}

/** What of the certificates one side would not take from the other. */
function distrust(config: Config, agents: readonly Seen[], certificates: NewCertificates): Obstacle[] {
  const { authorities, server, client, isNew } = certificates;
  const shown = agents.flatMap(({ pod, rpc }) => {
    const leaf = rpc && ownCertificate(rpc);
    return leaf ? [{ pod, leaf, signer: signerOf(leaf, authorities) }] : [];
  });
  const read = agents.flatMap(({ pod, certificate = '' }) => {
    const [leaf] = certificatesIn(certificate) ?? [];
    const signer = certificatesIn(authorities)?.find((one) => leadsTo({ certificate }, one));
    return leaf ? [{ pod, leaf, signer }] : [];
  });
  const all = [...shown, ...read];
  const unread = agents.filter(
    ({ certificate }) => certificate !== undefined && !certificatesIn(certificate)?.[0],
  );
  const found: Obstacle[] = [];
  if (isNew && !agents.some(({ role }) => role === 'server'))
    found.push({
      what: 'agents have to show certificates, and no old server is there that could be asked whose',
      cure: 'Put back the Secrets that the servers which run read their certificates from.',
    });
  const strangers = all.filter(({ signer }) => signer === undefined);
  const over = all.filter(({ leaf }) => lifeOf(leaf) === 'over');
  const wanted = wantedServerNames(config);
  const nameless = shown.filter(({ leaf }) => wanted.some((name) => !names(leaf, name)));
  const untrusted = shown.filter(
    ({ signer }) => signer && [server, client].some((one) => !leadsTo(one, signer)),
  );
  if (strangers.length > 0)
    found.push({
      what: `the certificates of ${podNames(strangers)} are not signed by the authority (\`ca.crt\`) that the new agents would have: ${issuers(strangers)}`,
      cure: `\`ca.crt\` has to hold the authority of every old agent, that of its clients as well. ${giveThem(config)}`,
    });
  if (unread.length > 0)
    found.push({
      what: `the certificates of ${podNames(unread)} cannot be read in their pods, so it is not known whether new servers would take them`,
      cure: 'Mend or remove these pods first; the files are those that `cert_file` names.',
    });
  if (untrusted.length > 0)
    found.push({
      what: `the certificates that the new agents would have are not of the authority of those of ${podNames(untrusted)}: ${issuers(untrusted)}`,
      cure: `Both sides have to be of one authority. ${giveThem(config)}`,
    });
  if (over.length > 0)
    found.push({
      what: `the certificates of ${podNames(over)} have expired`,
      cure: 'Renew them first (`consul reload` reads them), so that the agents take them from each other.',
    });
  if (nameless.length > 0)
    found.push({
      what: `the certificates of ${podNames(nameless)} are not for ${wanted.join(' and ')}, which the new agents ask for`,
      cure: 'Set `domain` and `datacenter` to those of the running cluster; or give its servers certificates for that name first.',
    });
  const carried = new Set(namesIn(server.certificate));
  const domains = new Set(agents.flatMap(({ facts }) => facts?.domain || []));
  const asked = [...wanted, ...[...domains].map((domain) => serverName({ ...config, domain }))];
  const lacking = [...new Set(asked)].filter((name) => !carried.has(name));
  if (lacking.length > 0)
    found.push({
      what: `the certificate that new servers would have does not carry the name ${lacking.join(' and ')}, which agents ask for`,
      cure: 'Give one that does, in `tls-secret`; or set `domain` to that of the running cluster.',
    });
  return found;
}

/** What makes it possible. */
function giveThem(config: Config): string {
  const { namespace, name } = config;
  const secret = (role: Role) =>
    `kubectl -n ${namespace} create secret generic ${name}-${role}-certificate --from-file=ca.crt --from-file=tls.crt --from-file=tls.key`;
  return `Make two Secrets from the files that the agents use, or from certificates that the same authority has issued: ${secret('server')}, for ${wantedServerNames(config).join(' and ')}; and, with a certificate that does not carry that name, ${secret('client')}. Give them as \`tls-secret: ${name}-server-certificate\` and \`tls-client-secret: ${name}-client-certificate\`; see docs/guides/adopt.md.`;
}

/** What a server shows is text of somebody else. */
function issuers(shown: readonly { leaf: { issuer: string } }[]): string {
  return listed([...new Set(shown.map(({ leaf }) => leaf.issuer.replaceAll(/\s+/g, ' ')))]);
}
