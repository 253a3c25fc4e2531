import type { SnapshotCounts } from '../../consul/snapshot/record-type.ts';

export const NOUNS: Readonly<Record<keyof SnapshotCounts, string>> = {
  keys: 'keys',
  nodes: 'nodes',
  services: 'services',
  checks: 'checks',
  sessions: 'sessions',
  preparedQueries: 'prepared queries',
  configEntries: 'configuration entries',
  tokens: 'tokens',
  policies: 'policies',
  roles: 'roles',
  others: 'others',
};

/** What nobody makes or takes away by itself. */
export const STEADY_KINDS = ['configEntries', 'preparedQueries', 'tokens', 'policies', 'roles'] as const;

/** `4 keys, 1 node`; what there is none of is left out, but for keys and services. */
export function counted(counts: SnapshotCounts): string {
  return Object.entries(counts)
    .filter(([kind, count]) => count > 0 || kind === 'keys' || kind === 'services')
    .map(([kind, count]) => {
      const noun = NOUNS[kind as keyof SnapshotCounts];
      return `${count} ${count === 1 ? noun.replace(/s$/, '').replace(/ie$/, 'y') : noun}`;
    })
    .join(', ');
}
