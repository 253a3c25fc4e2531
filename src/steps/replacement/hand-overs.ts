import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import { leadingServer } from '../../consul/quorum/leadership-transfer.ts';
import type { Run } from '../../session/run.ts';
import { type HandOver, type HandOverTools, handOver, tellStillLeads } from './leadership.ts';

/** A server that leads again each time that it has handed over is stopped all the same: a change must be possible. */
const MOST = 2;

/** A server that is about to stop at once, and should not lead by then. */
export class HandOvers {
  readonly #run: Run;
  readonly #tools: HandOverTools;
  readonly #name: string;
  readonly #rather: readonly string[];
  #last: HandOver = 'none';
  #ledAgain = 0;

  /** @param rather who should lead then, the best first */
  constructor(run: Run, tools: HandOverTools, name: string, rather: readonly string[] = []) {
    this.#run = run;
    this.#tools = tools;
    this.#name = name;
    this.#rather = rather;
  }

  async ask(): Promise<void> {
    this.#last = await handOver(this.#run, this.#tools, { awayFrom: this.#name, rather: this.#rather });
  }

  /** At the last moment: false where it leads again, and should be asked once more. */
  areOver(evidence: readonly ServerEvidence[]): boolean {
    if (leadingServer(evidence) !== this.#name || evidence.length === 1) return true;
    // It has been told.
    if (this.#last === 'failed') return true;
    this.#ledAgain += 1;
    if (this.#ledAgain < MOST) return false;
    tellStillLeads(this.#run, this.#name, 'it leads again each time that it has handed over');
    return true;
  }
}
