/**
 * The types of records in the state of a snapshot that are counted by name; all others are counted together
 * (`MessageType` in https://github.com/hashicorp/consul/blob/v1.22.7/agent/structs/structs.go).
 */
export const RECORD_TYPE = {
  register: 0,
  keyValue: 2,
  session: 3,
  preparedQuery: 7,
  aclToken: 17,
  aclPolicy: 19,
  configEntry: 22,
  aclRole: 23,
} as const;

/** What a snapshot holds, by kind. */
export interface SnapshotCounts {
  keys: number;
  nodes: number;
  services: number;
  checks: number;
  sessions: number;
  preparedQueries: number;
  configEntries: number;
  tokens: number;
  policies: number;
  roles: number;
  /** Records of all other types: tombstones, indexes, coordinates, the mesh's authority. */
  others: number;
}

export const NOTHING: Readonly<SnapshotCounts> = {
  keys: 0,
  nodes: 0,
  services: 0,
  checks: 0,
  sessions: 0,
  preparedQueries: 0,
  configEntries: 0,
  tokens: 0,
  policies: 0,
  roles: 0,
  others: 0,
};

const COUNTED: Readonly<Record<number, keyof SnapshotCounts>> = {
  [RECORD_TYPE.keyValue]: 'keys',
  [RECORD_TYPE.session]: 'sessions',
  [RECORD_TYPE.preparedQuery]: 'preparedQueries',
  [RECORD_TYPE.configEntry]: 'configEntries',
  [RECORD_TYPE.aclToken]: 'tokens',
  [RECORD_TYPE.aclPolicy]: 'policies',
  [RECORD_TYPE.aclRole]: 'roles',
};

/** A node, each of its services and each of its checks is a registration of its own. */
export function countedAs(type: number, record: Readonly<Record<string, unknown>>): keyof SnapshotCounts {
  if (type !== RECORD_TYPE.register) return COUNTED[type] ?? 'others';
  if (isThere(record.Service)) return 'services';
  return isThere(record.Check) ? 'checks' : 'nodes';
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
