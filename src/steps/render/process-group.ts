import { randomUUID } from 'node:crypto';
import { exec } from '@actions/exec';

/**
 * Starts the command as the leader of a process group, waits for it alone, kills what it has left in the background and
 * tells how it ended. The command reads a file: with a pipe of this process, one that has ended before it has read all
 * would be an error of a stream that @actions/exec gives nobody to handle (EPIPE), and the end of this process.
 *
 * The folder is removed before the command runs, so the rendered YAML does not stay on the disk. The leader tells its group
 * on standard error, before the command can write any. Linux images have `setsid`, busybox too; without it (macOS) bash,
 * which is `sh` there, makes a group for each job by `set -m`. Not supported: Windows, which has no such groups and no
 * /bin/sh. Not stopped: what leaves the group on purpose, as a daemon does.
 */
const SHELL = `
exec 3<"$1/input" 4<"$1/command" && rm -rf "$1" || exit 126
leader='echo "$1 $$" >&2; shift; eval "$(cat <&4)" 4<&-'
if command -v setsid >/dev/null; then
  setsid /bin/sh -c "$leader" sh "$2" <&3 3<&- &
else
  set -m
  /bin/sh -c "$leader" sh "$2" <&3 3<&- &
fi
exec 2>/dev/null
wait "$!"
status=$?
kill -KILL "-$!"
printf '\\n%s %s\\n' "$2" "$status"
`;

const MIB = 1024 * 1024;
const MOST_OUTPUT = 16 * MIB;
/** Of standard error: @actions/exec searches an unfinished line again and again. */
const LONGEST_LINE = 4 * MIB;
const MOST_COMPLAINTS = 16_384;
/** From asking the group to end to ending it. */
const PATIENCE_MS = 500;
/** For a pipe that a daemon of the command keeps open. */
const AFTER_EXIT_MS = 1_000;

export interface Ended {
  /** Undefined where the shell around the command was killed. */
  status: number | undefined;
  output: string;
  /** The end of standard error. */
  complaints: string;
  /** Set where it was killed for writing too much. */
  excess: string | undefined;
}

/**
 * Runs the shell command in `command` of a folder with `input` as its standard input, and removes the folder. When the
 * signal aborts the whole process group is ended, within a second.
 * @throws Error when it cannot be started
 */
export async function runInGroup(folder: string, signal: AbortSignal): Promise<Ended> {
  const end = randomUUID();
  const group = new Group(signal);
  const output: Buffer[] = [];
  let size = 0;
  let excess: string | undefined;
  const tooMuch = (bytes: number, where: string) => {
    excess = `it wrote more than ${bytes / MIB} MiB ${where}`;
    group.end();
  };
  const complaints = new Complaints(end, (leader) => group.started(leader));
  try {
    await exec('/bin/sh', ['-c', SHELL, 'sh', folder, end], {
      silent: true,
      ignoreReturnCode: true,
      delay: AFTER_EXIT_MS,
      listeners: {
        stdout: (bytes) => {
          size += bytes.length;
          if (size <= MOST_OUTPUT) output.push(bytes);
          else tooMuch(MOST_OUTPUT, 'to standard output');
        },
        stderr: (bytes) => {
          if (complaints.add(bytes) > LONGEST_LINE) tooMuch(LONGEST_LINE, 'in one line of standard error');
        },
      },
    });
  } finally {
    group.close();
  }
  const text = Buffer.concat(output).toString('utf8');
  // By this line the output is known to be whole; what comes after it is a daemon's.
  const at = text.lastIndexOf(`\n${end} `);
  const status = at < 0 ? undefined : Number.parseInt(text.slice(at + end.length + 2), 10);
  if (status === undefined) group.kill('SIGKILL');
  return { status, output: text.slice(0, Math.max(0, at)), complaints: complaints.text, excess };
}

/** The process group of a command: asked to end once, and killed where it does not. */
class Group {
  readonly #signal: AbortSignal;
  readonly #abort = () => this.end();
  #leader: number | undefined;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort, { once: true });
    if (signal.aborted) this.end();
  }

  started(leader: number): void {
    this.#leader = leader;
    if (this.#ending) this.#stop();
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#leader !== undefined) this.#stop();
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#abort);
    clearTimeout(this.#timer);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#leader === undefined) return;
    try {
      process.kill(-this.#leader, signal);
    } catch {
      // It has ended.
    }
  }

  #stop(): void {
    this.kill('SIGTERM');
    this.#timer = setTimeout(() => this.kill('SIGKILL'), PATIENCE_MS);
  }
}

/** Standard error: the line that names the group, and the end of what the command says itself. */
class Complaints {
  readonly #started: (leader: number) => void;
  readonly #group: RegExp;
  readonly #decoder = new TextDecoder();
  #lineBytes = 0;
  #known = false;
  text = '';

  constructor(mark: string, started: (leader: number) => void) {
    this.#group = new RegExp(`^${mark} ([1-9]\\d+)\\n`, 'm');
    this.#started = started;
  }

  /** The bytes of the line that is not finished. */
  add(bytes: Buffer): number {
    const newline = bytes.lastIndexOf('\n');
    this.#lineBytes = newline < 0 ? this.#lineBytes + bytes.length : bytes.length - newline - 1;
    this.text += this.#decoder.decode(bytes, { stream: true });
    const [line, leader] = (!this.#known && this.#group.exec(this.text)) || [];
    if (line !== undefined) {
      this.#known = true;
      this.text = this.text.replace(line, '');
      this.#started(Number(leader));
    }
    this.text = this.text.slice(-MOST_COMPLAINTS);
    return this.#lineBytes;
  }
}
