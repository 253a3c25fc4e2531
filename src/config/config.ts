export type Mode =
  | 'deploy'
  | 'plan'
  | 'verify'
  | 'sweep'
  | 'snapshot'
  | 'inspect'
  | 'rehearse'
  | 'restore'
  | 'destroy'
  | 'render';

/** Faults that a verification makes on purpose, where it was asked to. */
export const FAULTS = ['delete-server', 'delete-leader', 'delete-client'] as const;
export type Fault = (typeof FAULTS)[number];

/** What the user asked for, parsed once and frozen. Durations are milliseconds. */
export interface Config {
  readonly mode: Mode;
  readonly timeout: number;
  readonly stableFor: number;

  readonly kubeconfig: KubeconfigSource;
  readonly context: string | undefined;
  readonly namespace: string;
  readonly createNamespace: boolean;
  readonly expectCluster: string | undefined;

  readonly name: string;
  readonly image: string;
  readonly datacenter: string;
  readonly domain: string;
  readonly servers: 1 | 3 | 5;
  readonly clients: 'statefulset' | 'daemonset' | 'none';
  readonly clientReplicas: number;
  /** How many clients a change replaces at a time. */
  readonly clientMaxUnavailable: Allowance;
  readonly recursors: readonly string[];
  readonly ui: boolean;

  readonly serverStorage: ServerStorage;
  readonly storageClass: string | undefined;
  /** What a server advertises: the address of its own Service, which stays, or that of its pod. */
  readonly serverAddresses: 'auto' | ServerAddresses;
  readonly serverResources: ResourceRequirements;
  readonly clientResources: ResourceRequirements;
  readonly serverConfig: AgentConfigFragment | undefined;
  readonly clientConfig: AgentConfigFragment | undefined;
  readonly patches: readonly Patch[];
  readonly postRender: string | undefined;

  readonly gossipEncryption: 'auto' | 'true' | 'false';
  /** A Secret of the user's with the key for gossip. */
  readonly gossipKeySecret: string | undefined;
  readonly tls: 'auto' | 'true' | 'false';
  /** Secrets of the user's with the certificates of servers and of clients; both or none. */
  readonly tlsSecret: string | undefined;
  readonly tlsClientSecret: string | undefined;
  readonly rotate: readonly ('gossip' | 'ca')[];
  /** HTTPS of the agents beside plain HTTP, or alone outside of the pod. */
  readonly https: 'off' | 'also' | 'only';
  /** Of a verification: certificates that are due are renewed. */
  readonly renew: boolean;

  readonly snapshot: 'auto' | 'always' | 'never';
  readonly snapshotKey: SnapshotKey | undefined;
  /** A snapshot may be left in plaintext. */
  readonly snapshotPlain: boolean;
  /** Of a snapshot, absolute; empty where none can be kept. */
  readonly snapshotPath: string;
  /** What is restored: a snapshot, or the quorum from a server that still has its data. */
  readonly restoreFrom: 'snapshot' | 'survivor';
  /** Of the snapshot to restore, to rehearse or to inspect, absolute. */
  readonly restorePath: string | undefined;
  /** What that is compared with where it is inspected: what Consul holds, or another snapshot. */
  readonly compare:
    | { readonly kind: 'cluster' }
    | { readonly kind: 'file'; readonly path: string }
    | undefined;
  /** Of a verification: once all is proven the restore of a snapshot is tried. */
  readonly rehearse: boolean;

  readonly forceConflicts: readonly string[];
  readonly adopt: 'if-unowned' | 'never' | 'always';
  readonly expectPlan: string | undefined;
  readonly allowDataLoss: readonly string[];
  readonly prune: boolean;
  readonly maxPrune: Allowance;
  readonly onDrift: 'fail' | 'report';
  readonly confirm: string | undefined;
  readonly destroyData: boolean;
  readonly sweepApply: boolean;
  readonly deregister: readonly string[];
  readonly lock: boolean;
  readonly moveRegistrations: boolean;

  readonly smoke: boolean;
  readonly smokeService: boolean;
  readonly smokeDns: boolean;
  readonly maxUnreadyClients: Allowance;
  readonly chaos: readonly Fault[];

  readonly summary: boolean;
  readonly reportPath: string | undefined;
  readonly junitPath: string | undefined;
  readonly summaryPath: string | undefined;
  readonly reportHtml: string | undefined;
  readonly manifestsPath: string | undefined;
  readonly logLevel: 'quiet' | 'info' | 'debug';
}

/** What a snapshot is encrypted with: keys of age, or a passphrase. */
export type SnapshotKey =
  | { readonly kind: 'keys'; readonly recipients: readonly string[]; readonly identities: readonly string[] }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

export type ServerAddresses = 'service' | 'pod';

/** Where the kubeconfig comes from: a path, YAML decoded from one line of base64, or the defaults. */
export type KubeconfigSource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'inline'; readonly yaml: string }
  | { readonly kind: 'default' };

/** `size` is a Kubernetes quantity such as `10Gi`. */
export type ServerStorage =
  | { readonly kind: 'persistent'; readonly size: string }
  | { readonly kind: 'ephemeral' };

export interface ResourceRequirements {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

/** Agent configuration merged over ours by Consul itself, as a second file of the configuration directory. */
export interface AgentConfigFragment {
  readonly format: 'json' | 'hcl';
  readonly text: string;
}

export interface PatchTarget {
  readonly kind: string;
  readonly name: string;
}

/** A JSON merge patch (RFC 7386) or a JSON patch (RFC 6902) for one rendered object. */
export type Patch =
  | { readonly target: PatchTarget; readonly merge: Readonly<Record<string, unknown>> }
  | { readonly target: PatchTarget; readonly operations: readonly JsonPatchOperation[] };

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** How many may be missing: a count, or a share of those desired. */
export type Allowance =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number };
