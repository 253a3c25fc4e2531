import { z } from 'zod';

export interface RaftServer {
  /** Its own for as long as its data lives: a server whose data was lost comes back with another. */
  id: string;
  node: string;
  /** `ip:8300`. */
  address: string;
  leader: boolean;
  voter: boolean;
}

export interface AutopilotState {
  healthy: boolean;
  failureTolerance: number;
  servers: AutopilotServer[];
}

export interface AutopilotServer {
  name: string;
  address: string;
  /** In gossip: `alive`, `failed`, `left`, … */
  nodeStatus: string;
  version: string;
  lastTerm: number;
  healthy: boolean;
  /** `leader`, `voter`, `non-voter`, … */
  status: string;
  /** By the clock of the leader. */
  stableSince: string;
}

export interface Member {
  name: string;
  ip: string;
  status: 'none' | 'alive' | 'leaving' | 'left' | 'failed';
  role: 'server' | 'client';
  datacenter: string;
  version: string;
  /** Of the agent: another one of its name has another. */
  id?: string;
}

/** The shapes of Consul's answers, and what is kept of them. The agent's full configuration is not kept. */

export const leaderAnswer = z.string();

export const peersAnswer = z
  .array(z.string())
  .nullable()
  .transform((peers) => peers ?? []);

export const raftAnswer = z
  .object({
    Servers: z.array(
      z.object({
        ID: z.string(),
        Node: z.string(),
        Address: z.string(),
        Leader: z.boolean(),
        Voter: z.boolean(),
      }),
    ),
  })
  .transform(({ Servers }): RaftServer[] =>
    Servers.map(({ ID, Node, Address, Leader, Voter }) => ({
      id: ID,
      node: Node,
      address: Address,
      leader: Leader,
      voter: Voter,
    })),
  );

export const autopilotAnswer = z
  .object({
    Healthy: z.boolean(),
    FailureTolerance: z.number(),
    Servers: z
      .record(
        z.string(),
        z.object({
          Name: z.string(),
          Address: z.string(),
          NodeStatus: z.string(),
          Version: z.string(),
          LastTerm: z.number(),
          Healthy: z.boolean(),
          Status: z.string(),
          StableSince: z.string(),
        }),
      )
      .nullable(),
  })
  .transform(
    (state): AutopilotState => ({
      healthy: state.Healthy,
      failureTolerance: state.FailureTolerance,
      servers: Object.values(state.Servers ?? {})
        .map((server) => ({
          name: server.Name,
          address: server.Address,
          nodeStatus: server.NodeStatus,
          version: server.Version,
          lastTerm: server.LastTerm,
          healthy: server.Healthy,
          status: server.Status,
          stableSince: server.StableSince,
        }))
        .sort((a, b) => a.name.localeCompare(b.name)),
    }),
  );

// https://github.com/hashicorp/serf/blob/v0.10.1/serf/serf.go#L208-L214
const MEMBER_STATUS = ['none', 'alive', 'leaving', 'left', 'failed'] as const;

export const membersAnswer = z
  .array(
    z.object({
      Name: z.string(),
      Addr: z.string(),
      Status: z.number(),
      Tags: z.record(z.string(), z.string()),
    }),
  )
  .transform((members): Member[] =>
    members.map(({ Name, Addr, Status, Tags }) => ({
      name: Name,
      ip: Addr,
      status: MEMBER_STATUS[Status] ?? 'none',
      role: Tags.role === 'consul' ? 'server' : 'client',
      datacenter: Tags.dc ?? '',
      // `1.22.7:0a1b2c3d`, version and revision.
      version: Tags.build?.split(':')[0] ?? '',
      ...(Tags.id !== undefined && { id: Tags.id }),
    })),
  );

export const selfAnswer = z
  .object({
    Config: z.object({ Version: z.string(), Datacenter: z.string(), NodeName: z.string() }),
    Stats: z
      .object({
        raft: z
          .object({
            term: z.coerce.number().int().positive(),
            last_log_index: z.coerce.number().int().optional(),
            applied_index: z.coerce.number().int().optional(),
            last_contact: z.string().optional(),
          })
          .optional(),
      })
      .optional(),
  })
  .transform(({ Config, Stats }) => ({
    version: Config.Version,
    datacenter: Config.Datacenter,
    nodeName: Config.NodeName,
    // Of a server only.
    ...(Stats?.raft && { term: Stats.raft.term, ...logOf(Stats.raft) }),
  }));

/** A server's own log. */
export interface RaftLog {
  lastIndex: number;
  appliedIndex: number;
  /** It leads, or has heard from the leader within the last second. */
  hearsLeader: boolean;
}

/** `0` at the leader, `never`, or a duration as Go writes it: `45.1ms`, `1m2.5s`. */
const CONTACT = /^(?:0|never|(?:[\d.]+(?:h|m|s|ms|µs|ns))+)$/;
const WITHIN_A_SECOND = /^(?:0|[\d.]+(?:ms|µs|ns))$/;

function logOf({
  last_log_index: lastIndex,
  applied_index: appliedIndex,
  last_contact: contact,
}: {
  last_log_index?: number | undefined;
  applied_index?: number | undefined;
  last_contact?: string | undefined;
}): { log?: RaftLog } {
  if (lastIndex === undefined || appliedIndex === undefined || contact === undefined) return {};
  if (!CONTACT.test(contact)) return {};
  return { log: { lastIndex, appliedIndex, hearsLeader: WITHIN_A_SECOND.test(contact) } };
}
