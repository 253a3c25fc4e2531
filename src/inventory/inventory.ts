/** One object that a deployment owns. */
export interface InventoryEntry {
  apiVersion: string;
  kind: string;
  /** Absent for objects that belong to no namespace. */
  namespace?: string;
  name: string;
  /** Of the object that was applied; absent until it has been. */
  uid?: string;
  /** Of a Secret: a digest of its data, which is not kept. */
  digest?: string;
}

/** What one run saw, for comparison with later ones. Durations are milliseconds. */
export interface RunRecord {
  /** RFC 3339, when the run began. */
  at: string;
  mode: 'deploy' | 'verify';
  /** Whether the run wrote anything: a forming cluster takes longer than one that runs. */
  changed: boolean;
  /** From the start to the verdict. */
  verdictMs: number;
  /** How long the smoke key took to be committed. */
  commitMs?: number;
  /** Tries to write the smoke key that failed before one went through. */
  failedWrites?: number;
  /** Objects that were not as deployed; of a verification. */
  drift?: number;
  leader?: string;
  /** The leadership at its end: term, leader and voters as Raft knows them, and since when at the latest. */
  led?: {
    term: number;
    leader: string;
    voters: string[];
    /** RFC 3339, by the API server's clock. */
    since: string;
  };
  consulVersion?: string;
  image?: string;
  /** What every agent was seen to do with gossip. */
  gossip?: 'plaintext' | 'takes-both' | 'strict';
  /** What every server was seen to do with RPC. */
  tls?: TlsRecord;
  /** Restarts of each pod's containers so far, by pod uid. */
  restarts: Record<string, number>;
}

/** What servers do with RPC; `offered` is TLS beside plaintext. */
export interface TlsRecord {
  state: 'plaintext' | 'offered' | 'enforced';
  /** The name of the authority that has signed their certificates. */
  issuer?: string;
  /** RFC 3339: the first of these certificates ends then. */
  until?: string;
}

/**
 * What a deployment owns and how it was deployed, kept in the cluster beside it. The entries are a superset while
 * a deploy is under way (`phase: applying`) and exact after it.
 */
export interface Inventory {
  schemaVersion: 1;
  phase: 'applying' | 'deployed';
  /** The run that wrote it. */
  run: string;
  /** RFC 3339. */
  at: string;
  manifestDigest: string;
  image?: string;
  consulVersion?: string;
  entries: InventoryEntry[];
  /** The newest last. */
  history: RunRecord[];
}
