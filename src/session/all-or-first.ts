import type { Run } from './run.ts';

/**
 * All the results, or the first failure. That ends the run for the others too, and is thrown only when they have
 * cleaned up: what they need for it is closed afterwards, and a look through a closed connection would be
 * recorded as the fault of a server.
 */
export async function allOrFirst<T extends readonly Promise<unknown>[]>(
  run: Pick<Run, 'fail'>,
  parts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  for (const part of parts) part.catch((error: unknown) => run.fail(error));
  await Promise.allSettled(parts);
  return Promise.all(parts);
}
