import { digestOf, digestOfRecord, isNothing } from './digest.ts';
import { nameIn } from './name.ts';
import { RECORD_TYPE } from './record-type.ts';

/** What a token may do. */
export interface TokenRights {
  /** The built-in policy that allows everything. */
  managesAll: boolean;
  /** Consul makes it anew from `acl.tokens.initial_management` where a snapshot does not have it. */
  isInitial: boolean;
  /** By the name of what gives them, such as `policy "web"`: a digest of the rules. */
  parts: Map<string, string>;
}

type Fields = Readonly<Record<string, unknown>>;

/** A token or a role, as it refers to others. */
interface Grant {
  policies: string[];
  roles: string[];
  own: [name: string, digest: string][];
  isInitial: boolean;
}

/** https://github.com/hashicorp/consul/blob/v1.22.7/agent/structs/acl.go */
const GLOBAL_MANAGEMENT = '00000000-0000-0000-0000-000000000001';
const INITIAL = 'Initial Management Token';

/** The ACL tokens of a snapshot, by digests of their secrets, with what gives them their rights. */
export class SnapshotTokens {
  /** Thousands of tokens have the same few grants, so these are kept once, as JSON. */
  readonly #tokens = new Map<string, string>();
  readonly #grants = new Map<string, string>();
  readonly #policies = new Map<string, [name: string, digest: string]>();
  readonly #roles = new Map<string, Grant>();

  /** What is decoded stays what it is only until the next record. */
  add(type: number, record: Fields): void {
    if (type === RECORD_TYPE.aclToken) {
      const grant = JSON.stringify(grantOf(record));
      const known = this.#grants.get(grant) ?? grant;
      this.#grants.set(known, known);
      this.#tokens.set(digestOf(nameIn(record.SecretID)), known);
    } else if (type === RECORD_TYPE.aclPolicy) {
      const { Rules, Datacenters } = record;
      const digest = digestOfRecord([nameIn(Rules).trim(), Datacenters ?? []]);
      this.#policies.set(nameIn(record.ID), [nameIn(record.Name), digest]);
    } else if (type === RECORD_TYPE.aclRole) this.#roles.set(nameIn(record.ID), grantOf(record));
  }

  /** When all have been read; undefined where there is no such token. */
  rightsOf(secret: string): TokenRights | undefined {
    const grant = this.#tokens.get(digestOf(secret));
    if (grant === undefined) return undefined;
    const token: Grant = JSON.parse(grant);
    const all = [token, ...token.roles.flatMap((id) => this.#roles.get(id) ?? [])];
    const policies = all.flatMap((one) => one.policies);
    const parts = new Map(all.flatMap((one) => one.own));
    for (const id of policies) {
      const [name, digest] = this.#policies.get(id) ?? [];
      if (name !== undefined && digest !== undefined) parts.set(`policy "${name}"`, digest);
    }
    return { managesAll: policies.includes(GLOBAL_MANAGEMENT), isInitial: token.isInitial, parts };
  }
}

/** A role has no end, and never is the first token. */
function grantOf(record: Fields): Grant {
  const { ServiceIdentities, NodeIdentities, TemplatedPolicies, ExpirationTime } = record;
  const kinds = {
    'service identities': ServiceIdentities,
    'node identities': NodeIdentities,
    'templated policies': TemplatedPolicies,
    'the time at which it ends': ExpirationTime,
  };
  return {
    policies: ids(record.Policies),
    roles: ids(record.Roles),
    own: Object.entries(kinds)
      .filter(([, value]) => !isNothing(value))
      .map(([name, value]) => [name, digestOfRecord(value)]),
    isInitial: nameIn(record.Description) === INITIAL,
  };
}

function ids(links: unknown): string[] {
  return Array.isArray(links) ? links.map((link) => nameIn(link?.ID)) : [];
}
