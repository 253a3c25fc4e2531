import { canonicalAddress } from '../address.ts';
import type { ServerEvidence } from './evidence.ts';

export type FindingId =
  | 'quorum-leader'
  | 'quorum-voters'
  | 'quorum-tolerance'
  | 'quorum-version'
  | 'quorum-members'
  | 'quorum-datacenter';

/** One line of proof about the cluster. */
export interface Finding {
  id: FindingId;
  title: string;
  expected: string;
  /** One sentence; names the culprit when not passed. */
  observed: string;
  passed: boolean;
}

export interface ExpectedAgent {
  /** Name of the pod, which is also the node name. */
  name: string;
  /** The address that it is to tell others; empty where that is not known. */
  ip: string;
  /** It is that of the agent's own Service; otherwise that of its pod. */
  ofService?: true;
}

/** The address where others look for an agent, such as `its pod is 10.1.2.3`. */
export function whereIs({ ip, ofService }: Pick<ExpectedAgent, 'ip' | 'ofService'>, address = ip): string {
  if (!ofService) return `its pod is ${address}`;
  return ip === '' ? 'its Service has no address, or is gone' : `its Service is ${address}`;
}

export interface ExpectedCluster {
  servers: readonly ExpectedAgent[];
  /** Left out: clients are not judged. */
  clients?: readonly ExpectedAgent[];
  /** How many of the clients may be missing, failed or at another address. Default 0. */
  maxUnreadyClients?: number;
  datacenter: string;
  /** Such as `1.22.7`. Left out: all servers must have the same. */
  version?: string;
}

const MAX_COMPLAINTS = 3;
const MAX_NAMES = 5;

interface Source {
  /** The server that says so; without one it is a conclusion from what all said. */
  by?: string;
  /** The agent that it is about: of itself a server has the last word. */
  about?: string;
}

/** What a server says against a finding. */
export type Complain = (complaint: string, about?: string) => void;

/** What speaks against a finding, and who says so. What all servers say is said once. */
export class Complaints {
  readonly #complaints = new Map<string, { observers: Set<string>; about: string | undefined }>();
  readonly #notes = new Set<string>();

  add(complaint: string, { by, about }: Source = {}): void {
    const { observers } = this.#complaints.get(complaint) ?? { observers: new Set<string>() };
    if (by !== undefined) observers.add(by);
    this.#complaints.set(complaint, { observers, about });
  }

  /** What a server says of itself. */
  ofItself(complaint: string, server: string): void {
    this.add(complaint, { by: server, about: server });
  }

  by(server: string): Complain {
    return (complaint, about) => this.add(complaint, { by: server, ...(about !== undefined && { about }) });
  }

  /** Does not speak against the finding; the reader should know it all the same. */
  note(text: string): void {
    this.#notes.add(text);
  }

  /** @param fine what was observed where nothing speaks against it */
  finding(
    about: Pick<Finding, 'id' | 'title' | 'expected'>,
    fine: string,
    evidence: readonly ServerEvidence[],
  ): Finding {
    const sentences = [...this.#complaints].map(([complaint, { observers, about }]) => {
      const local = [...observers].every((observer) => observer === about);
      const unanimous = observers.size === 0 || observers.size >= evidence.length;
      return local || unanimous ? complaint : `${complaint} (says ${names([...observers])})`;
    });
    const passed = sentences.length === 0;
    const said = passed ? [fine] : sentences.slice(0, MAX_COMPLAINTS);
    const rest = sentences.length - MAX_COMPLAINTS;
    if (rest > 0) said.push(`and ${rest} more`);
    return { ...about, observed: [...said, ...this.#notes].join('; '), passed };
  }
}

/** `a, b, c` and, of many, the first and how many more. */
export function names(list: readonly string[], most = MAX_NAMES): string {
  const shown = list.slice(0, most).join(', ');
  return list.length > most ? `${shown} and ${list.length - most} more` : shown;
}

/** The evidence of each expected server; the missing ones become complaints. */
export function evidenceOf(
  expected: ExpectedCluster,
  evidence: readonly ServerEvidence[],
  complaints: Complaints,
): { server: ExpectedAgent; said: ServerEvidence }[] {
  return expected.servers.flatMap((server) => {
    const said = evidence.find(({ name }) => name === server.name);
    if (said) return [{ server, said }];
    complaints.ofItself(`${server.name} was not asked`, server.name);
    return [];
  });
}

/** The address a server has in Raft. */
export function raftAddress(ip: string): string {
  return ip.includes(':') ? `[${canonicalAddress(ip)}]:8300` : `${ip}:8300`;
}
