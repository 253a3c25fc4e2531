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
  /** Leaves the cluster when it is asked to end, as opposed to going missing. */
  leavesOnTerminate: boolean;
}

/** Only what is used is read; the agent's whole configuration is never kept. */
const answer = z
  .object({
    Config: z.object({ NodeName: z.string(), Datacenter: z.string(), Version: z.string() }),
    DebugConfig: z.object({
      ACLsEnabled: z.boolean().optional(),
      DNSDomain: z.string().optional(),
      DataDir: z.string().optional(),
      LeaveOnTerm: z.boolean().optional(),
      TLS: z
        .object({ InternalRPC: z.object({ VerifyIncoming: z.boolean().optional() }).optional() })
        .optional(),
    }),
    Stats: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  })
  .transform(
    ({ Config, DebugConfig, Stats }): AgentFacts => ({
      name: Config.NodeName,
      version: Config.Version,
      datacenter: Config.Datacenter,
      domain: (DebugConfig.DNSDomain ?? '').replace(/\.$/, ''),
      dataDir: DebugConfig.DataDir ?? '',
      acls: DebugConfig.ACLsEnabled ?? false,
      encrypted: Stats?.serf_lan?.encrypted === 'true',
      verifiesCertificates: DebugConfig.TLS?.InternalRPC?.VerifyIncoming ?? false,
      leavesOnTerminate: DebugConfig.LeaveOnTerm ?? false,
    }),
  );

export async function readAgentFacts(client: ConsulClient, signal: AbortSignal): Promise<AgentFacts> {
  const { body } = await client.get<unknown>('/v1/agent/self', { signal });
  return answer.parse(body);
}
