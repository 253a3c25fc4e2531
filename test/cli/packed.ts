import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { folder } from '../kubernetes/fake-server.ts';

const exec = promisify(execFile);
const PACK = fileURLToPath(new URL('../../script/pack', import.meta.url));

/** The command as npm would install it: packed, and unpacked in a folder that has nothing else. */
export interface Packed {
  folder: string;
  bin: string;
  remove: () => Promise<void>;
}

export async function pack(): Promise<Packed> {
  const out = await mkdtemp(join(tmpdir(), 'consul-deploy-packed-'));
  const { stdout } = await exec(PACK, [out]);
  await exec('tar', ['-xzf', stdout.trim(), '-C', out]);
  const unpacked = join(out, 'package');
  return {
    folder: unpacked,
    bin: join(unpacked, 'bin/consul-deploy.js'),
    remove: () => rm(out, { recursive: true, force: true }),
  };
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  /** The working directory. */
  workspace: string;
  /** A file that it left there. */
  read: (file: string) => string;
}

export interface Options {
  env?: Record<string, string>;
  stdin?: string;
  files?: Record<string, string>;
  /** In a terminal of its own, where standard error is standard output. */
  terminal?: boolean;
  /** Is told all that was printed so far, whenever there is more. */
  onOutput?: (printed: string, child: ChildProcess) => void;
  onStart?: (child: ChildProcess) => void;
}

/** Runs it to its end, in an empty folder and with an environment that has nothing of a runner. */
export async function runCommand(
  bin: string,
  args: readonly string[],
  options: Options = {},
): Promise<Ended> {
  const workspace = await folder(options.files ?? {});
  const words = [process.execPath, bin, ...args];
  // `script` is part of util-linux; what it runs is one text for a shell.
  const [file = '', ...rest] = options.terminal
    ? ['script', '-qec', `exec ${words.map((word) => `'${word}'`).join(' ')}`, '/dev/null']
    : words;
  const child = spawn(file, rest, {
    cwd: workspace,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: workspace, TERM: 'xterm', SHELL: '/bin/sh', ...options.env },
  });
  options.onStart?.(child);
  if (!options.terminal) child.stdin.end(options.stdin ?? '');
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
      options.onOutput?.(printed.stdout + printed.stderr, child);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  return { code, ...printed, workspace, read: (file) => readFileSync(join(workspace, file), 'utf8') };
}
