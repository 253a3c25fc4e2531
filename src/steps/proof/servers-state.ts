import { randomUUID } from 'node:crypto';
import { SMOKE_PREFIX } from '../../consul/proofs/keyvalue.ts';
import { type SurvivingKey, writeSurvivingKey } from '../../consul/proofs/surviving-key.ts';
import { Failure } from '../../failure.ts';
import type { Agents } from '../../session/agents.ts';
import { AnyServer } from '../../session/any-server.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import { AFTER_MS, ELECTION_MS } from '../registrations/catalog-before-after.ts';

const CHECK = {
  id: 'servers-state',
  title: 'State of the servers',
  group: 'servers',
  expected: 'a key that was written before the change',
} as const;

/**
 * Whether the servers still have after a change what they had agreed on before. Agents announce again what is
 * registered at them, so that a catalog looks well soon; a key is nobody's but the servers'.
 */
export class ServersState {
  readonly #run: Run;
  readonly #workloads: Pick<Workloads, 'pods'>;
  readonly #server: AnyServer;
  #survivingKey: SurvivingKey | undefined;

  constructor(run: Run, workloads: Pick<Workloads, 'pods'>, agents: Pick<Agents, 'client'>) {
    this.#run = run;
    this.#workloads = workloads;
    this.#server = new AnyServer(run, workloads, agents);
  }

  /** Right before the first write. What cannot be written is told; without a server that runs there is nothing to keep. */
  async begin(): Promise<void> {
    const run = this.#run;
    if (!this.#workloads.pods('server').some(({ ready }) => ready)) return;
    try {
      this.#survivingKey = await this.#server.ask((server, signal) => {
        const key = `${SMOKE_PREFIX}kept-${randomUUID()}`;
        // Any agent may be replaced now, and a session ends with its agent.
        return writeSurvivingKey(server, key, signal, { session: false });
      }, ELECTION_MS);
      run.log.info('wrote a key that has to outlive the change');
    } catch (error) {
      run.signal.throwIfAborted();
      const { message } = Failure.from(error);
      run.concern({ ...CHECK, observed: `not compared, since none could be written: ${message}` });
    }
  }

  /** After the proof. @throws Failure `state-lost` */
  async end(): Promise<void> {
    const survivingKey = this.#survivingKey;
    if (!survivingKey) return;
    const isKept = await this.#server.ask((server, signal) => survivingKey.isKept(server, signal), AFTER_MS);
    if (!isKept && this.#isLossMeant()) {
      const observed = `${survivingKey.key} is gone, as \`allow-data-loss\` lets it`;
      return this.#run.concern({ ...CHECK, observed });
    }
    this.#run.check({
      ...CHECK,
      observed: isKept ? 'still there' : `${survivingKey.key} is gone`,
      passed: isKept,
    });
    if (isKept) return;
    this.#run.known.left = { is: 'data-lost' };
    throw new Failure({
      reason: 'state-lost',
      what: `the servers have lost what they had agreed on: the key ${survivingKey.key}, written before the change, is gone`,
      where: `servers of "${this.#run.config.name}"`,
      hint: 'Take all other keys, sessions, and services registered without an agent for lost, too, unless somebody has removed just this key. Find out why the servers began with nothing: their volumes, or `server-storage: ephemeral` and several pods deleted at once. Then restore a snapshot.',
    });
  }

  /** The plan said that the servers lose their data, and without consent the run would not have got here. */
  #isLossMeant(): boolean {
    const { config, known } = this.#run;
    return (known.plan ?? []).some(
      ({ kind, name, consequence }) =>
        kind === 'StatefulSet' && name === `${config.name}-server` && consequence === 'data-loss',
    );
  }

  /** Takes the key back; never throws. */
  async close(): Promise<void> {
    const server = this.#server.one();
    if (server) await this.#survivingKey?.remove(server);
    this.#survivingKey = undefined;
  }
}
