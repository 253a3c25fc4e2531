import { z } from 'zod';
import type { ConsulClient } from '../client.ts';

/** What an agent says of how it was started, as far as a takeover depends on it. */
export interface AgentFacts {
  name: string;
  version: string;
  datacenter: string;
  /** Without the dot at its end. */
  domain: string;
  dataDir: string;
  acls: boolean;
  /** Gossip is encrypted. */
  encrypted: boolean;
  /** Other agents have to show a certificate. */
  verifiesCertificates: boolean;
  /** Speaks TLS to servers, and asks for their name in the certificate. */
  dialsWithTls: boolean;
  /** Of a server: it has told the others, when it started, that it can do TLS. */
  announcesTls: boolean;
  /** Gets its certificate from the servers, or gives some to clients: of an authority of Consul's own. */
  autoEncrypts: boolean;
  /** The file with its certificate for RPC, by its own path; empty for none. */
  certificateFile: string;
  /** Where it listens for plain HTTP: `tcp://127.0.0.1:8500`. */
  httpAddresses: string[];
  /** Leaves the cluster when it is asked to end, as opposed to going missing. */
  leavesOnTerminate: boolean;
}

/** Only what is used is read; the agent's whole configuration is never kept. */
const answer = z
  .object({
    Config: z.object({ NodeName: z.string(), Datacenter: z.string(), Version: z.string() }),
    DebugConfig: z.object({
      ACLsEnabled: z.boolean().optional(),
      AutoConfig: z.object({ Enabled: z.boolean().optional() }).optional(),
      AutoEncryptAllowTLS: z.boolean().optional(),
      AutoEncryptTLS: z.boolean().optional(),
      DNSDomain: z.string().optional(),
      DataDir: z.string().optional(),
      HTTPAddrs: z.array(z.string()).nullish(),
      LeaveOnTerm: z.boolean().optional(),
      TLS: z
        .object({
          InternalRPC: z
            .object({
              CertFile: z.string().optional(),
              VerifyIncoming: z.boolean().optional(),
              VerifyOutgoing: z.boolean().optional(),
            })
            .optional(),
        })
        .optional(),
    }),
    Member: z.object({ Tags: z.record(z.string(), z.string()).nullish() }).optional(),
    Stats: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  })
  .transform(
    ({ Config, DebugConfig, Member, Stats }): AgentFacts => ({
      name: Config.NodeName,
      version: Config.Version,
      datacenter: Config.Datacenter,
      domain: (DebugConfig.DNSDomain ?? '').replace(/\.$/, ''),
      dataDir: DebugConfig.DataDir ?? '',
      acls: DebugConfig.ACLsEnabled ?? false,
      encrypted: Stats?.serf_lan?.encrypted === 'true',
      verifiesCertificates: DebugConfig.TLS?.InternalRPC?.VerifyIncoming ?? false,
      dialsWithTls: DebugConfig.TLS?.InternalRPC?.VerifyOutgoing ?? false,
      announcesTls: Member?.Tags?.use_tls === '1',
      autoEncrypts: Boolean(
        DebugConfig.AutoEncryptTLS || DebugConfig.AutoEncryptAllowTLS || DebugConfig.AutoConfig?.Enabled,
      ),
      certificateFile: DebugConfig.TLS?.InternalRPC?.CertFile ?? '',
      httpAddresses: DebugConfig.HTTPAddrs ?? [],
      leavesOnTerminate: DebugConfig.LeaveOnTerm ?? false,
    }),
  );

export async function readAgentFacts(client: ConsulClient, signal: AbortSignal): Promise<AgentFacts> {
  const { body } = await client.get<unknown>('/v1/agent/self', { signal });
  return answer.parse(body);
}
