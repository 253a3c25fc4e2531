/** What is in a snapshot: names and numbers. */
export interface SnapshotOverview {
  /** Of the last change in it. */
  index: number;
  /** RFC 3339, by the clock of the server that took it. */
  takenAt?: string;
  /** Of Consul, as the catalog in it has them of its servers. */
  versions: string[];
  /** How many of each kind are in it. */
  counts: Record<string, number>;
  /** Keys that begin alike, up to the first slash; the biggest first, and then all others together. */
  prefixes: { prefix: string; keys: number; bytes: number }[];
  /** Those with the most instances first, and then all others together, of which the nodes are not known. */
  services: { service: string; instances: number; nodes?: number }[];
}

/** In what a snapshot differs from another one, or from what Consul holds. Names, never values. */
export interface SnapshotDifference {
  /** `cluster`, or the path of the other snapshot. */
  with: string;
  /** Of the last change in that. */
  index: number;
  takenAt?: string;
  /** Keys, nodes and services that differ, and kinds that do not come and go by themselves. */
  total: number;
  keys: DifferentNames;
  nodes: DifferentNames;
  services: DifferentNames;
  /** Kinds of which there are not as many. */
  counts: { kind: string; here: number; there: number }[];
}

export interface DifferentNames {
  onlyHere: SomeNames;
  onlyThere: SomeNames;
  changed: SomeNames;
}

export interface SomeNames {
  total: number;
  /** The first of them. */
  names: string[];
}
