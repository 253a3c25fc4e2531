import { Failure } from '../failure.ts';

const LAST_LINES = 20;

/**
 * Runs the user's command with the rendered YAML on its standard input and returns its standard output, as
 * Helm's post-renderers do. https://helm.sh/docs/topics/advanced/#post-rendering
 *
 * @throws Failure `post-render` with the last lines of its standard error
 */
export async function postRender(command: string, yaml: string, signal: AbortSignal): Promise<string> {
  // Loaded when needed: most runs have no such command.
  const { exec } = await import('@actions/exec');
  const output: Buffer[] = [];
  let complaints = '';
  // exec cannot be aborted (https://github.com/actions/toolkit/issues/1534); the run does not wait for it then.
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const code = await Promise.race([
    aborted,
    exec(command, [], {
      input: Buffer.from(yaml),
      silent: true,
      ignoreReturnCode: true,
      listeners: {
        stdout: (chunk) => output.push(chunk),
        stderr: (chunk) => {
          complaints = (complaints + chunk.toString()).slice(-16_384);
        },
      },
    }).catch((error: unknown) => {
      throw failed('it could not be started', error instanceof Error ? [error.message] : []);
    }),
  ]);
  if (code !== 0)
    throw failed(`it ended with status ${code}`, complaints.trimEnd().split('\n').slice(-LAST_LINES));
  return Buffer.concat(output).toString();
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
