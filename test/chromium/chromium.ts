import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
];
const START_MS = 60_000;

/** How a page is looked at. */
export interface View {
  width: number;
  height: number;
  scheme: 'light' | 'dark';
  media?: 'screen' | 'print';
}

/** A page of a Chromium without a window. */
export interface Page {
  /** Opens this file; returns the addresses that were asked for, and what the console says. */
  open(path: string, view: View): Promise<{ requests: string[]; messages: string[] }>;
  /** The value of an expression, awaited. */
  evaluate<T>(expression: string): Promise<T>;
  /** All of the page as a PNG, or its first `height` pixels. */
  screenshot(options?: { height?: number; scale?: number }): Promise<Buffer>;
  press(key: 'Tab'): Promise<void>;
  close(): Promise<void>;
}

/** The browser of CHROMIUM, or the first one that is installed. */
export function findChromium(): string {
  const { CHROMIUM } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const found = NAMES.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (found) return found;
  throw new Error(
    'no Chromium: install one, such as `apt-get install chromium-headless-shell`, or name it in CHROMIUM',
  );
}

/** Speaks the DevTools protocol over a pipe: https://chromedevtools.github.io/devtools-protocol/ */
export async function startChromium(): Promise<Page> {
  const folder = await mkdtemp(join(tmpdir(), 'consul-deploy-chromium-'));
  const browser = spawn(
    findChromium(),
    [
      ...['--headless', '--remote-debugging-pipe', `--user-data-dir=${folder}`, '--no-first-run'],
      // Its sandbox needs what containers do not give, and the page is our own.
      ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'],
      '--font-render-hinting=none',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const [, , , input, output] = browser.stdio as unknown as [null, null, null, Writable, Readable];
  const ended = new Promise<void>((resolve) => browser.once('close', () => resolve()));
  const wire = new Wire(input, output, ended);
  const { targetId } = await wire.ask<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  const attached = await wire.ask<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  });
  const ask = <T>(method: string, params: object = {}) => wire.ask<T>(method, params, attached.sessionId);
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await ask(`${domain}.enable`);

  const evaluate = async <T>(expression: string): Promise<T> => {
    const answer = await ask<{ result: { value: T }; exceptionDetails?: unknown }>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };

  return {
    evaluate,
    async open(path, { width, height, scheme, media = 'screen' }) {
      await ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
      await ask('Emulation.setEmulatedMedia', {
        media,
        features: [{ name: 'prefers-color-scheme', value: scheme }],
      });
      const seen = wire.listen();
      const loaded = wire.event('Page.loadEventFired');
      await ask('Page.navigate', { url: `file://${path}` });
      await loaded;
      await evaluate('document.fonts.ready.then(() => true)');
      const events = seen();
      return {
        requests: events.flatMap(({ method, params }) =>
          method === 'Network.requestWillBeSent' ? [params.request.url] : [],
        ),
        messages: events.flatMap(({ method, params }) =>
          method === 'Log.entryAdded' ? [params.entry.text] : [],
        ),
      };
    },
    async screenshot({ height, scale = 1 } = {}) {
      const [width = 0, all = 0] = await evaluate<number[]>(
        '[document.documentElement.clientWidth, document.documentElement.scrollHeight]',
      );
      const clip = { x: 0, y: 0, width, height: Math.min(height ?? all, all), scale };
      const options = { format: 'png', captureBeyondViewport: true, clip };
      const { data } = await ask<{ data: string }>('Page.captureScreenshot', options);
      return Buffer.from(data, 'base64');
    },
    async press(key) {
      const pressed = { key, code: key, windowsVirtualKeyCode: 9 };
      await ask('Input.dispatchKeyEvent', { type: 'keyDown', ...pressed });
      await ask('Input.dispatchKeyEvent', { type: 'keyUp', ...pressed });
    },
    async close() {
      await wire.ask('Browser.close').catch(() => undefined);
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Message {
  id?: number;
  method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: as the protocol has it
  params?: any;
  result?: unknown;
  error?: { message: string };
}
type Event = Required<Pick<Message, 'method' | 'params'>>;

/** Messages as JSON, each with a NUL at its end. */
class Wire {
  readonly #input: Writable;
  readonly #ended: Promise<void>;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #listeners = new Set<(event: Event) => void>();
  #id = 0;

  constructor(input: Writable, output: Readable, ended: Promise<void>) {
    this.#input = input;
    this.#ended = ended;
    input.on('error', () => undefined);
    void ended.then(() => {
      for (const { reject } of this.#open.values()) reject(new Error('Chromium has ended'));
    });
    let rest = '';
    output.setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  ask<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#id;
    const answer = Promise.withResolvers<unknown>();
    this.#open.set(id, answer);
    const timer = setTimeout(() => answer.reject(new Error(`${method}: no answer`)), START_MS);
    this.#input.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    return answer.promise.finally(() => {
      clearTimeout(timer);
      this.#open.delete(id);
    }) as Promise<T>;
  }

  /** Resolves at the next event of this name. */
  event(name: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const listener = ({ method }: Event) => {
      if (method === name) resolve();
    };
    this.#listeners.add(listener);
    void this.#ended.then(() => reject(new Error('Chromium has ended')));
    return promise.finally(() => this.#listeners.delete(listener));
  }

  /** Keeps all events until what it returns is called. */
  listen(): () => Event[] {
    const events: Event[] = [];
    const listener = (event: Event) => void events.push(event);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      return events;
    };
  }

  #take({ id, method, params, result, error }: Message): void {
    if (method !== undefined) for (const listener of this.#listeners) listener({ method, params });
    const answer = id === undefined ? undefined : this.#open.get(id);
    if (error) answer?.reject(new Error(error.message));
    else answer?.resolve(result);
  }
}
