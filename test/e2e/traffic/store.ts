import { type Agent, http } from './agent.ts';
import { Count, paced } from './count.ts';

const WRITE_PERIOD_MS = 20;
const READ_PERIOD_MS = 100;

/** A new key fifty times a second. */
export class Writer extends Count {
  /** Each key that Consul acknowledged, with its value. One that failed may be there or not. */
  readonly acknowledged = new Map<string, string>();
  readonly prefix: string;
  readonly #agent: Agent;

  constructor(agent: Agent, prefix: string) {
    super();
    this.#agent = agent;
    this.prefix = prefix;
  }

  run(signal: AbortSignal): Promise<void> {
    return paced(WRITE_PERIOD_MS, signal, (number) => this.request(() => this.write(number)));
  }

  async write(number: number): Promise<void> {
    const key = `${this.prefix}/${number}`;
    const value = `${number} äöü ${'x'.repeat(Math.abs(number) % 97)}`;
    const answer = await http(this.#agent.ip, `/v1/kv/${key}`, { method: 'PUT', body: value });
    if (answer.trim() !== 'true') throw new Error(`answered ${answer}`);
    this.acknowledged.set(key, value);
  }
}

/** One of the acknowledged keys ten times a second, as the leader knows it. */
export class Reader extends Count {
  readonly #agent: Agent;
  readonly #written: ReadonlyMap<string, string>;

  constructor(agent: Agent, written: ReadonlyMap<string, string>) {
    super();
    this.#agent = agent;
    this.#written = written;
  }

  run(signal: AbortSignal): Promise<void> {
    return paced(READ_PERIOD_MS, signal, (number) => this.request(() => this.read(number)));
  }

  async read(number: number): Promise<void> {
    const keys = [...this.#written.keys()];
    const key = keys[(number * 7919) % keys.length];
    if (key === undefined) throw new Error('nothing was written yet');
    const value = await http(this.#agent.ip, `/v1/kv/${key}?raw`);
    if (value !== this.#written.get(key)) throw new Error(`${key} has another value`);
  }
}

/** Acknowledged keys that the server at this address does not have in its own store, or with another value. */
export async function lostAt(ip: string, prefix: string, written: ReadonlyMap<string, string>) {
  const text = await http(ip, `/v1/kv/${prefix}/?recurse&stale`).catch((error: unknown) => {
    // No key at all.
    if (error instanceof Error && error.message.startsWith('404')) return '[]';
    throw error;
  });
  const stored = new Map(
    (JSON.parse(text) as { Key: string; Value: string | null }[]).map(({ Key, Value }) => [
      Key,
      Buffer.from(Value ?? '', 'base64').toString(),
    ]),
  );
  return [...written].filter(([key, value]) => stored.get(key) !== value).map(([key]) => key);
}
