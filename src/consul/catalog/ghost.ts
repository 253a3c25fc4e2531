export const GHOST_CLASSES = [
  /** What `deregister` asks for. */
  'named',
  /** In the catalog on the node of a live agent that does not hold it. */
  'unheld',
  /** A node that had an agent of this deployment, and has no pod. */
  'no-pod',
  /** In the catalog, and no agent has registered it. */
  'synthetic',
  'failed',
  /** One id at several agents. */
  'duplicate',
  /** Critical, and its address is that of no pod. */
  'app-gone',
  'left',
  /** Without an agent on purpose. */
  'external',
] as const;
export type GhostClass = (typeof GHOST_CLASSES)[number];

/** The only call that lasts; `none`: nothing needs to be done, or nothing can be. */
export type Remedy = 'agent' | 'force-leave' | 'catalog' | 'none';

/** Something in the catalog or the gossip pool that should not be there, or looks like it. */
export interface Ghost {
  class: GhostClass;
  /** The node; several where all of them announce one id. */
  nodes: readonly string[];
  /** Id of the service; absent where it is about the whole node. */
  service?: string;
  evidence: string;
  remedy: Remedy;
  /** Why that lasts, or why nothing is done. */
  why: string;
  /** Trouble, as opposed to what is as it should be, or may be. */
  counts: boolean;
}

/** The same of one look and of the next: what it is, where, and what would be done. */
export function ghostKey({ class: kind, nodes, service, remedy }: Ghost): string {
  return JSON.stringify([kind, nodes, service, remedy]);
}
