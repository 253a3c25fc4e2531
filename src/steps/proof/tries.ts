import { ConsulError } from '../../consul/failure.ts';
import { Failure } from '../../failure.ts';
import type { TakeBack } from '../../session/open-troubles.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';

/** One try, after which an election or a restart in its midst is forgiven and it starts again. */
const TRY_MS = 30_000;
/** Between two tries, at first and at most: what fails at once is not to flood the agents' logs. */
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Tries until it works or the run ends; only what Consul's ACLs deny is final at once.
 * @param prepare is waited for before each try, for as long as it takes
 */
export async function retried<P, T>(
  run: Run,
  { tell, ...about }: { title: string; agent?: string; tell: (trouble: string) => void },
  prepare: () => Promise<P>,
  attempt: (prepared: P, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const key = `${about.title} ${about.agent ?? ''}`.trim();
  let tries = 0;
  let trouble: string | undefined;
  let takeBack: TakeBack = () => undefined;
  try {
    for (;;) {
      // While a pod is waited for, it is that pod which is in trouble, and not the proof.
      takeBack();
      const prepared = await prepare();
      if (trouble !== undefined) takeBack = run.troubles.proof({ ...about, trouble });
      const limit = AbortSignal.timeout(TRY_MS);
      try {
        return await attempt(prepared, AbortSignal.any([run.signal, limit]));
      } catch (error) {
        run.signal.throwIfAborted();
        trouble = limit.aborted ? `no end after ${TRY_MS / 1000} s` : Failure.from(error).message;
        tell(trouble);
        if (error instanceof ConsulError && error.status === 403) throw error;
        takeBack();
        takeBack = run.troubles.proof({ ...about, trouble });
        run.log.progress(trouble, key);
        await pause(Math.min(PAUSE_MS * 2 ** tries++, LONGEST_PAUSE_MS), run.signal);
      }
    }
  } finally {
    takeBack();
    run.log.settled(key);
  }
}
