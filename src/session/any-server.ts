import type { ConsulClient } from '../consul/client.ts';
import { unreachable } from '../consul/failure.ts';
import { whilePassing } from '../consul/patience.ts';
import type { Agents } from './agents.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/** The servers, for a question that any of them can answer. */
export class AnyServer {
  readonly #run: Run;
  readonly #workloads: Pick<Workloads, 'pods'>;
  readonly #agents: Pick<Agents, 'client'>;
  #tries = 0;

  constructor(run: Run, workloads: Pick<Workloads, 'pods'>, agents: Pick<Agents, 'client'>) {
    this.#run = run;
    this.#workloads = workloads;
    this.#agents = agents;
  }

  /**
   * Asks one that is ready, and another one at each try, while there is an election or a server ends.
   * @throws what does not pass, or has lasted for this long
   */
  async ask<T>(ask: (server: ConsulClient, signal: AbortSignal) => Promise<T>, limitMs: number): Promise<T> {
    const { signal, log, config } = this.#run;
    const onTrouble = (what: string) => log.progress(`the servers do not answer: ${what}`, 'servers');
    try {
      return await whilePassing({ signal, limitMs, onTrouble }, async (both) => {
        const server = this.one();
        if (!server) throw unreachable(`servers of "${config.name}"`, 'none is ready');
        return ask(server, both);
      });
    } finally {
      log.settled('servers');
    }
  }

  /** One that is ready, another one each time. */
  one(): ConsulClient | undefined {
    const ready = this.#workloads.pods('server').filter((pod) => pod.ready);
    this.#tries += 1;
    const pod = ready[this.#tries % Math.max(ready.length, 1)];
    return pod && this.#agents.client(pod);
  }
}
