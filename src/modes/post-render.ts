import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Failure } from '../failure.ts';

const LAST_LINES = 20;
const MOST_COMPLAINTS = 16_384;

/**
 * Runs the user's command in the shell, with the rendered YAML on its standard input, and returns its standard
 * output, as Helm's post-renderers do. https://helm.sh/docs/topics/advanced/#post-rendering
 *
 * @throws Failure `post-render` with the last lines of its standard error
 * @throws the reason of the signal; the shell is killed then
 */
export async function postRender(command: string, yaml: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  // Not @actions/exec: its write to a command that has ended already is an error nobody can catch.
  const child = spawn(command, { shell: true, stdio: 'pipe', signal });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaints = (complaints + chunk).slice(-MOST_COMPLAINTS);
  });
  // A command need not read what it does not want; its status says whether it is content.
  child.stdin.on('error', () => undefined).end(yaml);
  const output = text(child.stdout);
  const ended = once(child, 'close') as Promise<[code: number | null, killedBy: string | null]>;
  const [code, killedBy] = await ended.catch((error: unknown) => {
    signal.throwIfAborted();
    throw failed('it could not be started', error instanceof Error ? [error.message] : []);
  });
  if (code === 0) return output;
  throw failed(
    code === null ? `it was ended by ${killedBy}` : `it ended with status ${code}`,
    complaints.trimEnd().split('\n').slice(-LAST_LINES),
  );
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
