/** A proof whose last try has failed. */
export interface FailedProof {
  title: string;
  /** Where it is about that of one client. */
  agent?: string;
  trouble: string;
}

/** Takes back what its owner has said; a second time it does nothing. */
export type TakeBack = () => void;

/** What is known to be wrong now, until whoever has said so takes it back. */
export class OpenTroubles {
  readonly #proofs = new Set<FailedProof>();
  readonly #suspicions = new Set<() => readonly string[]>();

  /** That it is tried again says nothing yet: it is open until it is through. */
  proof(failed: FailedProof): TakeBack {
    return added(this.#proofs, { ...failed });
  }

  /** @param lines one each, as they are when they are asked for */
  suspect(lines: () => readonly string[]): TakeBack {
    return added(this.#suspicions, () => lines());
  }

  proofs(): FailedProof[] {
    return [...this.#proofs];
  }

  /** For a run that runs out of time: of who came last first, since that is what is done now. */
  suspicions(): string[] {
    return [...this.#suspicions].reverse().flatMap((lines) => lines());
  }
}

/** Each is an entry of its own, also beside an equal one. */
function added<T>(all: Set<T>, one: T): TakeBack {
  all.add(one);
  return () => void all.delete(one);
}
