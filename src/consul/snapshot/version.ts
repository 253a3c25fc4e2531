/** More than a cluster ever has. */
const MOST_VERSIONS = 10;

/**
 * Of the servers in the catalog of a snapshot: the only place where it says which Consul has written it
 * (`handleAliveMember` in https://github.com/hashicorp/consul/blob/v1.22.7/agent/consul/leader.go).
 */
export class ServerVersions {
  readonly #versions = new Set<string>();

  service({ version }: { version?: string }): void {
    if (version !== undefined && minorOf(version) && this.#versions.size < MOST_VERSIONS)
      this.#versions.add(version);
  }

  /** The latest first. */
  all(): string[] {
    return [...this.#versions].sort((a, b) => compareMinor(b, a));
  }
}

/**
 * Whether one has a later minor version, or major one, than the other: positive where `a` has. A patch never changes what is
 * in a snapshot.
 */
export function compareMinor(a: string, b: string): number {
  const [majorA, minorA] = minorOf(a) ?? [0, 0];
  const [majorB, minorB] = minorOf(b) ?? [0, 0];
  return majorA - majorB || minorA - minorB;
}

/** `1.22` of `1.22.7+ent`; undefined of what is no version. */
export function minorOf(version: string): [major: number, minor: number] | undefined {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})\.\d/.exec(version) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}
