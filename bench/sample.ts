/** Median, minimum and maximum of some figures, for the table. */
export class Sample {
  readonly #sorted: number[];

  constructor(figures: readonly number[]) {
    if (figures.length === 0) throw new Error('nothing was measured');
    this.#sorted = [...figures].sort((a, b) => a - b);
  }

  get median(): number {
    const middle = (this.#sorted.length - 1) / 2;
    return ((this.#sorted[Math.floor(middle)] ?? 0) + (this.#sorted[Math.ceil(middle)] ?? 0)) / 2;
  }

  get max(): number {
    return this.#sorted.at(-1) ?? 0;
  }

  /** `5.7 s (5.2–6.4 s, n = 40)`, from milliseconds. */
  seconds(): string {
    const s = (ms: number | undefined) => ((ms ?? 0) / 1000).toFixed(1);
    return `${s(this.median)} s (${s(this.#sorted[0])}–${s(this.max)} s, n = ${this.#sorted.length})`;
  }

  /** `0.83 (0.71–0.95, n = 5)` */
  ratio(): string {
    const r = (value: number | undefined) => (value ?? 0).toFixed(2);
    return `${r(this.median)} (${r(this.#sorted[0])}–${r(this.max)}, n = ${this.#sorted.length})`;
  }
}
