import { Wake } from './wake.ts';

/**
 * The time between two looks at something that cannot tell by itself when it changes, such as Raft.
 * @throws the reason of the signal
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Wake().next(ms, signal);
}
