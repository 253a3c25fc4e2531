import { expect } from 'vitest';
import { deploy, type Outcome } from './action.ts';

/** Runs against one cluster, and all that they have left, in which its secrets must not be. */
export class KeptRuns {
  readonly #given: Record<string, string>;
  readonly #secretsNow: () => Promise<string[]>;
  readonly #secrets = new Set<string>();
  readonly #outcomes: Outcome[] = [];

  /** @param secretsNow text that would give away what the cluster holds now */
  constructor(given: Record<string, string>, secretsNow: () => Promise<string[]>) {
    this.#given = given;
    this.#secretsNow = secretsNow;
  }

  async run(inputs: Record<string, string> = {}): Promise<Outcome> {
    const outcome = await deploy({ ...this.#given, ...inputs });
    this.#outcomes.push(outcome);
    for (const secret of await this.#secretsNow()) this.#secrets.add(secret);
    return outcome;
  }

  async green(inputs: Record<string, string> = {}): Promise<Outcome> {
    const outcome = await this.run(inputs);
    expect(outcome.code, outcome.log).toBe(0);
    return outcome;
  }

  verify(inputs: Record<string, string> = {}): Promise<Outcome> {
    return this.run({ mode: 'verify', timeout: '2m', 'stable-for': '1s', ...inputs });
  }

  expectNoSecret(): void {
    for (const { log, summary, outputs, report } of this.#outcomes) {
      const all = [log, summary, JSON.stringify(outputs), JSON.stringify(report)].join('\n');
      expect(all).not.toContain('PRIVATE KEY');
      for (const secret of this.#secrets) expect(all.includes(secret)).toBe(false);
    }
  }
}
