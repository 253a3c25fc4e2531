import { formatDuration } from './duration.ts';
import { logSafe, oneLine, plain, workflowCommand } from './escape.ts';
import { Secrets } from './secret.ts';

export type LogLevel = 'quiet' | 'info' | 'debug';

export interface LogOptions {
  /** Takes one line without its line end. Default: stdout. */
  write?: (line: string) => void;
  /** `quiet` leaves warnings and the closing report. */
  level?: LogLevel;
  /** `actions` uses the runner's commands, `plain` is for a terminal or another CI. Default: by GITHUB_ACTIONS. */
  style?: 'actions' | 'plain';
  /** False where what is waited for is shown in another way: no line says that it is still waited for. */
  heartbeat?: boolean;
  /** What no line shows; more may be added while the run goes on. */
  secrets?: Secrets;
  /** Milliseconds of a monotonic clock; the log's zero is the moment it is made. */
  now?: () => number;
}

/** Longest silence while waiting, in ms. */
const HEARTBEAT_MS = 15_000;
/** Shortest time between two lines about one wait, in ms: ten pods that come up in a second are one piece of news. */
const PACE_MS = 1_000;
/** No terminal is wider. */
const STATUS_LENGTH = 400;
/** `+599.9 s` */
const TIME_WIDTH = 8;

interface Wait {
  line: string;
  since: number;
  printedAt: number;
  /** Prints the line when its time has come. */
  timer?: NodeJS.Timeout | undefined;
}

/** The log of one run. Every text may come from the cluster; none of it can command the runner or tell a secret. */
export class Log {
  readonly secrets: Secrets;
  readonly #write: (line: string) => void;
  readonly #level: LogLevel;
  readonly #actions: boolean;
  readonly #now: () => number;
  readonly #start: number;
  readonly #hasHeartbeat: boolean;
  #grouped = false;
  #title = '';
  readonly #waits = new Map<string, Wait>();
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: LogOptions = {}) {
    const secrets = options.secrets ?? new Secrets();
    const write = options.write ?? ((line: string) => process.stdout.write(`${line}\n`));
    this.secrets = secrets;
    // Every line once more, for what no method thought of; texts before they are escaped, which would hide secrets.
    this.#write = (line) => write(secrets.redact(line));
    this.#level = options.level ?? 'info';
    this.#actions =
      (options.style ?? (process.env.GITHUB_ACTIONS === 'true' ? 'actions' : 'plain')) === 'actions';
    this.#hasHeartbeat = (options.heartbeat ?? true) && this.#level !== 'quiet';
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
  }

  /** Opens the group of a phase and closes the one before: the runner does not nest groups. */
  group(title: string): void {
    if (this.#level === 'quiet') return;
    this.endGroup();
    const text = this.secrets.redact(title);
    this.#write(this.#actions ? workflowCommand('group', {}, text) : `▸ ${logSafe(text)}`);
    this.#grouped = true;
    this.#title = text;
  }

  endGroup(): void {
    if (this.#grouped && this.#actions) this.#write(workflowCommand('endgroup', {}, ''));
    this.#grouped = false;
    this.#title = '';
  }

  /** Something changed. */
  info(text: string): void {
    if (this.#level !== 'quiet') this.#print(text);
  }

  debug(text: string): void {
    if (this.#level === 'debug') this.#print(text);
  }

  /**
   * What is being waited for; printed when it differs from the last one about the same thing, at most once a second.
   * @param about tells waits apart that run at the same time
   */
  progress(line: string, about = ''): void {
    const before = this.#waits.get(about);
    if (line === before?.line) return;
    const now = this.#now();
    const wait = { printedAt: Number.NEGATIVE_INFINITY, ...before, line, since: now };
    this.#waits.set(about, wait);
    const rest = wait.printedAt + PACE_MS - now;
    if (rest <= 0) this.#tell(wait);
    else wait.timer ??= setTimeout(() => this.#tell(this.#waits.get(about)), rest).unref();
  }

  /** That wait is over: the heartbeat speaks of it no more. */
  settled(about = ''): void {
    clearTimeout(this.#waits.get(about)?.timer);
    this.#waits.delete(about);
  }

  /** Printed at every level; a yellow annotation in Actions. */
  warning(text: string): void {
    if (this.#actions) this.#write(workflowCommand('warning', {}, this.secrets.redact(text)));
    else this.#print(`warning: ${text}`);
  }

  /** A red annotation in Actions, outside every group; nothing elsewhere, where `closing` says the same. */
  annotation(error: { title: string; message: string } | undefined): void {
    if (!this.#actions || !error) return;
    this.endGroup();
    const { title, message } = this.secrets.redactAll(error);
    this.#write(workflowCommand('error', { title }, message));
  }

  /** The last lines of a run: at every level, outside every group, without times. */
  closing(lines: readonly string[]): void {
    this.endGroup();
    for (const line of lines) this.#write(logSafe(this.secrets.redact(line)));
  }

  /** From now on, no silence longer than 15 s, until `stop`. Does not keep the process alive. */
  startHeartbeat(): void {
    clearTimeout(this.#heartbeat);
    if (this.#hasHeartbeat) this.#heartbeat = setTimeout(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#heartbeat);
    this.#heartbeat = undefined;
    for (const about of [...this.#waits.keys()]) this.settled(about);
  }

  #tell(wait: Wait | undefined): void {
    if (!wait) return;
    wait.timer = undefined;
    wait.printedAt = this.#now();
    this.info(wait.line);
  }

  /** What is done at this moment, in one line for a terminal; empty where there is nothing to tell. */
  status(): string {
    if (this.#level === 'quiet') return '';
    const text = this.secrets.redact(this.#waiting() || this.#title);
    // Again once it is plain: what nobody sees may have stood within a secret.
    return this.secrets.redact(oneLine(text, STATUS_LENGTH));
  }

  #beat(): void {
    const waits = this.#waiting();
    this.#print(waits ? `still waiting: ${waits}` : 'still waiting');
  }

  #waiting(): string {
    return [...this.#waits.values()]
      .map(({ line, since }) => {
        // Whole seconds: this is about a quarter of a minute, not about tenths.
        const ms = Math.round((this.#now() - since) / 1000) * 1000;
        return ms === 0 ? line : `${line} (${formatDuration(ms)})`;
      })
      .join('; ');
  }

  #print(text: string): void {
    const time = `+${((this.#now() - this.#start) / 1000).toFixed(1)} s`.padStart(TIME_WIDTH);
    const [first = '', ...others] = plain(this.secrets.redact(text)).trimEnd().split('\n');
    this.#write(logSafe(`${time}  ${first}`));
    // Made safe with its indentation, since the runner ignores spaces before a command.
    for (const line of others) this.#write(logSafe(`${' '.repeat(TIME_WIDTH)}  ${line}`));
    // Re-arms the timer also after it went off.
    this.#heartbeat?.refresh();
  }
}
