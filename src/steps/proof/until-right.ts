import type { Failure } from '../../failure.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';

/** So long an agent may be seen otherwise: one that has just restarted is soon as it is to be. */
const PATIENCE_MS = 20_000;
/** Between two looks, at first and at most. */
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** What one look at all agents came to. */
export type Looked<T> =
  | { seen: T }
  | {
      trouble: Failure;
      /** One does not answer, which is another trouble and told of as that: so it may last. */
      isSilent?: boolean;
      /** Waiting changes nothing about it. */
      isFinal?: boolean;
    };

/**
 * Looks again and again until all is as it has to be.
 * @param fail is told what is not
 * @throws the trouble that has lasted
 */
export async function untilRight<T>(
  run: Run,
  fail: (observed: string) => void,
  look: () => Promise<Looked<T>>,
): Promise<T> {
  let since: number | undefined;
  for (let wait = PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    const looked = await look();
    if ('seen' in looked) return looked.seen;
    const { trouble, isSilent = false, isFinal = false } = looked;
    fail(trouble.message);
    if (isFinal) throw trouble;
    since = isSilent ? undefined : (since ?? performance.now());
    if (since !== undefined && performance.now() - since > PATIENCE_MS) throw trouble;
    await pause(wait, run.signal);
  }
}
