import type { TlsFiles } from '../../manifests/tls.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Run } from '../../session/run.ts';
import type { EncryptionTools, EncryptionWatch } from './encryption-watch.ts';
import type { AwaitedFiles } from './in-pods/restart.ts';
import { untilServed } from './served.ts';
import type { TlsGoal } from './settle-tls.ts';
import { TlsWalk } from './tls-walk.ts';

/**
 * Takes agents a step towards TLS with each restart that they make for gossip: what they read when they start is what a restart
 * or a reload for TLS would have them read. What is left then, if only some had to restart, is for `walkTls`.
 */
export class TlsRide {
  readonly #run: Run;
  readonly #goal: TlsGoal;
  readonly #tools: EncryptionTools;
  #walk: TlsWalk | undefined;
  #files: TlsFiles | undefined;

  constructor(run: Run, goal: TlsGoal, files: TlsFiles | undefined, tools: EncryptionTools) {
    this.#run = run;
    this.#goal = goal;
    this.#files = files;
    this.#tools = tools;
  }

  /** As they are now. */
  get files(): TlsFiles | undefined {
    return this.#walk?.files ?? this.#files;
  }

  /** @returns the files that each of these has to have when it starts; undefined where there is no step to make */
  async with(
    restarting: readonly PodView[],
    watch: EncryptionWatch,
  ): Promise<((pod: PodView) => AwaitedFiles) | undefined> {
    const { goal, isNew } = this.#goal;
    if (goal !== 'enforced' || isNew || this.files?.state === 'enforced') return undefined;
    const to = { ...this.#goal, goal };
    this.#walk ??= new TlsWalk(this.#run, to, this.#files, { tools: this.#tools, watch });
    return this.#walk.ride(restarting);
  }

  /** After the last restart: every agent is served, as after each step before it. */
  async end(watch: EncryptionWatch): Promise<void> {
    if (this.#walk) await untilServed(this.#run, this.#tools, watch.pods());
  }
}
