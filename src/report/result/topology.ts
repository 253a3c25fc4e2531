/** One server as it was last seen. */
export interface ServerSeen {
  name: string;
  node?: string;
  /** `missing`: it has no pod. */
  state: 'ready' | 'unready' | 'missing';
  /** By its own word, else by that of another server; absent where none has told. */
  raft?: 'leader' | 'voter' | 'non-voter';
}

/** The agents as they were last seen. */
export interface Topology {
  servers: ServerSeen[];
  /** Clients by node, at most 100 nodes: first those with a client that is not ready, then those with the most. */
  nodes: { node: string; clients: number; ready: number }[];
  /** What is left out of `nodes`. */
  rest?: { nodes: number; clients: number; ready: number };
  /** Clients that have no node yet. */
  unscheduled?: number;
}
