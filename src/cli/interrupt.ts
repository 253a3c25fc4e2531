import type { Run } from '../session/run.ts';

/** Sooner, it is the same one: a terminal sends it to all of its processes, and npx once more to its own. */
const SAME_MS = 1000;
/** As a shell counts a process that SIGINT has ended. */
const INTERRUPTED = 130;

/**
 * What ends a run from outside. A command has no post step that would clean up after it: so whatever ends it, the run
 * itself comes to its end, gives its lock back and removes its smoke key.
 */
export function endFromOutside(run: Pick<Run, 'cancel' | 'fail'>, tell: (line: string) => void): void {
  let first: number | undefined;
  // That they cancel the run, as SIGTERM does, is the same in the action.
  process.on('SIGINT', () => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      if (process.stdin.isTTY)
        tell('Cancelled: the run cleans up and gives its lock back. Ctrl-C once more ends it at once.');
    } else if (now - first > SAME_MS) {
      tell('Ended at once: the lock expires within a minute, and what the smoke tests left within some.');
      process.exit(INTERRUPTED);
    }
  });
  // The terminal is closed.
  process.on('SIGHUP', () => run.cancel('SIGHUP'));
  // In the action the process would end here, and its post step would clean up.
  process.on('uncaughtException', (error) => run.fail(error));
}
