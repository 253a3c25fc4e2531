import { clearLine, cursorTo } from 'node:readline';
import type { Log } from '../report/log.ts';
import { colour, takesColour } from './colour.ts';

/** How often the line of what is waited for is drawn again, in ms: it counts seconds. */
const REDRAWN_MS = 1000;

/** Where a person or the log of another CI reads what happens: one line after the other, and on a terminal one that changes. */
export class Terminal {
  readonly isLive: boolean;
  readonly #stream: NodeJS.WriteStream;
  readonly #isColoured: boolean;
  #log: Log | undefined;
  #isDrawn = false;

  constructor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv, plain: boolean) {
    this.#stream = stream;
    this.#isColoured = !plain && takesColour(stream);
    this.isLive = !plain && stream.isTTY === true && env.TERM !== 'dumb' && !env.CI;
  }

  /** How wide it is, where a person looks at it; nobody looks at a log as it is written. */
  get columns(): number | undefined {
    return this.isLive ? this.#stream.columns || undefined : undefined;
  }

  write(line: string): void {
    this.#erase();
    this.#stream.write(`${this.#isColoured ? colour(line) : line}\n`);
    this.#draw();
  }

  /** From now on the last line of a terminal says what this log waits for. */
  follow(log: Log): void {
    this.#log = log;
    if (this.isLive)
      setInterval(() => {
        this.#erase();
        this.#draw();
      }, REDRAWN_MS).unref();
  }

  #erase(): void {
    if (!this.#isDrawn) return;
    cursorTo(this.#stream, 0);
    clearLine(this.#stream, 0);
    this.#isDrawn = false;
  }

  #draw(): void {
    const status = this.isLive ? this.#log?.status() : '';
    if (!status) return;
    // A line that is wrapped could not be erased.
    const room = (this.#stream.columns || 80) - 4;
    this.#stream.write(`… ${[...status].slice(0, room).join('')}`);
    this.#isDrawn = true;
  }
}
