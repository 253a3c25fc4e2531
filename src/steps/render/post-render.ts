import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../failure.ts';
import { runInGroup } from './process-group.ts';

const LAST_LINES = 20;

/**
 * Runs the user's command in the shell, with the rendered YAML on its standard input, and returns its standard
 * output, as Helm's post-renderers do. https://helm.sh/docs/topics/advanced/#post-rendering
 *
 * @throws Failure `post-render` with the last lines of its standard error
 * @throws the reason of the signal, when nothing of the command runs any more
 */
export async function postRender(command: string, yaml: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  if (process.platform === 'win32') throw onWindows();
  const folder = await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'post-render-')).catch(notStarted);
  try {
    const mode = { mode: 0o600 };
    await writeFile(join(folder, 'command'), command, mode);
    await writeFile(join(folder, 'input'), yaml, mode);
    signal.throwIfAborted();
    const { status, output, complaints, excess } = await runInGroup(folder, signal).catch(notStarted);
    signal.throwIfAborted();
    if (status === 0 && excess === undefined) return output;
    const lines = complaints.trimEnd().split('\n').slice(-LAST_LINES);
    throw failed(excess ?? ending(status), lines);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** There is neither /bin/sh nor a process group, which would end with the run whatever the command has started. */
function onWindows(): Failure {
  return new Failure({
    reason: 'post-render',
    what: 'it needs a shell and process groups as Linux and macOS have them, and this is Windows',
    where: 'the post-render command',
    hint: 'Run this step on a Linux or macOS runner. Without `post-render` it runs on Windows, too; `patches` needs no command.',
  });
}

function notStarted(error: unknown): never {
  throw failed('it could not be started', [error instanceof Error ? error.message : String(error)]);
}

/** A shell adds 128 to the number of the signal that ended a command. */
function ending(status: number | undefined): string {
  if (status === undefined) return 'the shell around it was killed';
  const [name] = Object.entries(constants.signals).find(([, number]) => number + 128 === status) ?? [];
  return name === undefined ? `it ended with status ${status}` : `it was ended by ${name}`;
}

function failed(what: string, details: readonly string[]): Failure {
  return new Failure({
    reason: 'post-render',
    what,
    where: 'the post-render command',
    hint: 'Try it by hand: run `mode: render` without it, then pipe that file through the command.',
    details: details.filter((line) => line !== ''),
  });
}
