/**
 * Answers about what is observed, each worked out once for each change of it: there may be thousands of pods, and
 * thousands that ask.
 */
export class OncePerChange {
  readonly #observation: { readonly version: number };
  readonly #answers = new Map<string, { version: number; value: unknown }>();

  constructor(observation: { readonly version: number }) {
    this.#observation = observation;
  }

  once<T>(question: string, work: () => T): T {
    const { version } = this.#observation;
    const known = this.#answers.get(question);
    if (known?.version === version) return known.value as T;
    const value = work();
    this.#answers.set(question, { version, value });
    return value;
  }
}
