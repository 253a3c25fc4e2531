import { Resolver } from 'node:dns/promises';
import type { Agent } from './agent.ts';
import { Count, paced } from './count.ts';

const PERIOD_MS = 100;
const ANSWER_MS = 5_000;

/** Asks the agent's own DNS for a service ten times a second, over UDP, each time once. */
export class DnsQuery extends Count {
  /** Answers that named no instance; they are among the failures, too. */
  empty = 0;
  readonly #agent: Agent;
  readonly #name: string;

  constructor(agent: Agent, service: string) {
    super();
    this.#agent = agent;
    this.#name = `${service}.service.consul`;
  }

  override restart(): void {
    super.restart();
    this.empty = 0;
  }

  run(signal: AbortSignal): Promise<void> {
    return paced(PERIOD_MS, signal, () => this.request(() => this.query()));
  }

  async query(): Promise<void> {
    const { ip } = this.#agent;
    const resolver = new Resolver({ timeout: ANSWER_MS, tries: 1 });
    resolver.setServers([ip.includes(':') ? `[${ip}]:8600` : `${ip}:8600`]);
    const found = await resolver
      .resolve(this.#name, ip.includes(':') ? 'AAAA' : 'A')
      .catch((error: unknown) => {
        const { code } = error as { code?: string };
        if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
        throw error;
      });
    if (found.length > 0) return;
    this.empty += 1;
    throw new Error(`${this.#name} has no instance`);
  }
}
