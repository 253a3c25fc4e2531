/** How many of the agents of a role a change has come to. */
interface Progress {
  role: 'server' | 'client';
  done: number;
  of: number;
}

/** Where what Consul held before is kept. */
interface Kept {
  before: string | undefined;
}

/** How a run has left the cluster. src/report/left.ts has the sentences. */
export type Left =
  | { is: 'untouched' }
  | { is: 'no-cluster' }
  | { is: 'recorded' }
  | { is: 'namespace-made'; namespace: string }
  | { is: 'record-begun' }
  | { is: 'applying' }
  | { is: 'recreating'; object: string }
  | { is: 'leaving'; server: string }
  | ({ is: 'replacing' | 'adopting' | 'restarting' | 'changing-image' } & Progress)
  | { is: 'unread-config'; configMap: string; pod: string }
  | { is: 'reload-denied'; configMap: string }
  | { is: 'refused-config'; configMap: string; pod: string }
  | { is: 'encrypting'; what: 'gossip' | 'rpc'; isWanted: boolean }
  | { is: 'rotating-key' }
  | { is: 'replacing-certificates' }
  | { is: 'deployed'; changed: boolean }
  | { is: 'not-pruned' }
  | { is: 'data-lost' }
  | { is: 'registrations-lost' }
  | { is: 'moving-registrations' }
  | { is: 'moved-registrations'; services: number }
  | { is: 'fault'; pod: string }
  | { is: 'healed'; pods: readonly string[]; isRecorded: boolean }
  | { is: 'sweeping' }
  /** `removed`: how many of which class. */
  | { is: 'swept'; removed: string }
  | ({ is: 'restore-sent' | 'restored-unproven' | 'restored' } & Kept)
  | ({ is: 'quorum-lost' | 'quorum-rebuilt'; servers: readonly string[] } & Kept)
  | ({ is: 'quorum-whole' } & Kept)
  | { is: 'quorum-never-lost'; leader: string }
  | { is: 'starting-empty' }
  | { is: 'rehearsing' | 'rehearsal-ended' | 'rehearsed'; namespace: string }
  | { is: 'removing' }
  | { is: 'never-deployed'; name: string; namespace: string }
  | {
      is: 'removed';
      name: string;
      namespace: string;
      isNamespaceGone: boolean;
      kept: readonly { kind: string; name: string }[];
      /** Names of kept Secrets with keys that this action has written. */
      keys: readonly string[];
    };
