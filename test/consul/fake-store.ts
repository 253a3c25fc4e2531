import type { FakeAnswer, FakeHandler, FakeRequest } from './fake-consul.ts';

interface Entry {
  Key: string;
  Value: string;
  ModifyIndex: number;
  Session?: string;
}

/** A key-value store with one leader, and replicas that lag behind it until somebody waits for them. */
export class FakeStore {
  readonly leader = new Replica();
  readonly #replicas: Replica[] = [];
  readonly sessions = new Set<string>();
  #index = 10;

  /** The handler of one server. With `frozen` it never gets what is written. */
  server(options: { frozen?: boolean } = {}): FakeHandler {
    const replica = new Replica();
    if (!options.frozen) this.#replicas.push(replica);
    return (request) => this.#answer(request, replica);
  }

  put(key: string, value: string, session?: string): void {
    this.#index += 1;
    const entry: Entry = { Key: key, Value: Buffer.from(value).toString('base64'), ModifyIndex: this.#index };
    if (session) entry.Session = session;
    this.#change((entries) => entries.set(key, entry));
  }

  delete(matches: (key: string) => boolean): void {
    this.#index += 1;
    this.#change((entries) => {
      for (const key of [...entries.keys()]) if (matches(key)) entries.delete(key);
    });
  }

  #change(change: Change): void {
    const index = this.#index;
    this.leader.apply(index, change);
    for (const replica of this.#replicas) replica.send(index, change);
  }

  #answer(
    { method, path, query, body, gone }: FakeRequest,
    replica: Replica,
  ): Promise<FakeAnswer> | FakeAnswer {
    if (path === '/v1/session/create') {
      const id = `session-${this.sessions.size + 1}`;
      this.sessions.add(id);
      return { body: { ID: id } };
    }
    if (path.startsWith('/v1/session/destroy/')) {
      const id = path.slice('/v1/session/destroy/'.length);
      this.sessions.delete(id);
      this.delete((key) => this.leader.entries.get(key)?.Session === id);
      return { body: true };
    }
    const key = path.slice('/v1/kv/'.length);
    if (method === 'PUT') {
      if (query.get('cas') === '0' && this.leader.entries.has(key)) return { body: false };
      this.put(key, body, query.get('acquire') ?? undefined);
      return { body: true };
    }
    if (method === 'DELETE') {
      this.delete((other) => (query.has('recurse') ? other.startsWith(key) : other === key));
      return { body: true };
    }
    return (query.has('stale') ? replica : this.leader).read(key, Number(query.get('index') ?? 0), gone);
  }
}

type Change = (entries: Map<string, Entry>) => void;

class Replica {
  readonly entries = new Map<string, Entry>();
  readonly #waiting = new Set<() => void>();
  readonly #underWay: [number, Change][] = [];
  #index = 1;

  /** Arrives when a query blocks for it: whoever does not block never sees it. */
  send(index: number, change: Change): void {
    this.#underWay.push([index, change]);
    if (this.#waiting.size > 0) this.#catchUp();
  }

  #catchUp(): void {
    for (const [index, change] of this.#underWay.splice(0)) this.apply(index, change);
  }

  apply(index: number, change: Change): void {
    this.#index = index;
    change(this.entries);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Blocks while the index is not above the one given. */
  async read(key: string, index: number, gone: AbortSignal): Promise<FakeAnswer> {
    if (index > 0) this.#catchUp();
    while (this.#index <= index && !gone.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        gone.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const entry = this.entries.get(key);
    const headers = { 'X-Consul-Index': String(this.#index) };
    return entry ? { body: [entry], headers } : { status: 404, text: '', headers };
  }
}
