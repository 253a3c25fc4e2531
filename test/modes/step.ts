import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { given } from '../config/given.ts';
import { folder } from '../kubernetes/fake-server.ts';

const INDEX = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

export interface Step {
  code: number | null;
  log: string;
  outputs: Record<string, string>;
  /** What the step hands to its post step, as the runner sets it there. */
  state: Record<string, string>;
  summary: string;
  workspace: string;
}

/**
 * Runs the action from its sources, in a process of its own and with the files of a runner.
 * @param onLog is given the log so far whenever there is more, and what kills the process, once
 */
export async function runStep(
  inputs: Record<string, string>,
  env: Record<string, string> = {},
  onLog: (log: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Step> {
  const workspace = await folder({ output: '', state: '', summary: '' });
  const child = spawn(process.execPath, [INDEX], {
    cwd: workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: workspace,
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: join(workspace, 'output'),
      GITHUB_STATE: join(workspace, 'state'),
      GITHUB_STEP_SUMMARY: join(workspace, 'summary'),
      ...given(inputs),
      ...env,
    },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let log = '';
  let killed = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      onLog(log, (signal) => {
        if (!killed) child.kill(signal);
        killed = true;
      });
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  const state = await values(join(workspace, 'state'));
  return {
    code,
    log,
    workspace,
    outputs: await values(join(workspace, 'output')),
    state: Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])),
    summary: await readFile(join(workspace, 'summary'), 'utf8'),
  };
}

/** A file of the runner as it reads it: the last one of a name counts. */
async function values(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/^([\w-]+)<<(ghadelimiter_\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [
      name,
      value,
    ]),
  );
}
