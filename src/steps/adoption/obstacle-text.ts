import { names } from '../../consul/quorum/finding.ts';

/** What speaks against a takeover, and what to do about it. */
export interface Obstacle {
  what: string;
  cure: string;
}

export function podNames(agents: readonly { pod: { name: string } }[]): string {
  return names(agents.map(({ pod }) => pod.name));
}
