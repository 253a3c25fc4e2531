import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { ApiError } from '../../../src/kubernetes/error.ts';
import type { WatchTransport } from '../../../src/kubernetes/watch/watch-spec.ts';

export type Answer = (response: ServerResponse, query: URLSearchParams) => void;

/** Answers each request with the next of its answers; holds the connection open when there is none left. */
export class FakeApiServer {
  readonly queries: URLSearchParams[] = [];
  readonly #answers: Answer[];
  readonly #agent = new Agent();
  #server: Server | undefined;
  #port = 0;

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      const query = new URL(request.url ?? '', 'http://fake').searchParams;
      this.queries.push(query);
      const answer = this.#answers.shift();
      if (answer) answer(response, query);
      else response.writeHead(200).flushHeaders();
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    if (this.#server?.listening) await once(this.#server, 'close');
  }

  async end(): Promise<void> {
    await this.#agent.destroy();
    await this.stop();
  }

  readonly transport: WatchTransport = {
    request: async ({ path, query, signal }) => {
      const body = await this.#get(path, query, signal);
      return { body: (await body.json()) as never };
    },
    stream: ({ path, query, signal }) => this.#get(path, query, signal),
  };

  async #get(path: string, query: object = {}, signal: AbortSignal) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) search.set(name, String(value));
    }
    const url = `http://127.0.0.1:${this.#port}${path}?${search}`;
    const { statusCode, headers, body } = await request(url, { signal, dispatcher: this.#agent });
    if (statusCode < 300) return body;
    const { message, reason } = (await body.json()) as { message: string; reason: string };
    const retryAfter = headers['retry-after'] === undefined ? undefined : Number(headers['retry-after']);
    throw new ApiError({ status: statusCode, message, reason, retryAfter });
  }
}

export const object = (name: string, version: number, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: `uid-${name}`, resourceVersion: String(version) },
  ...more,
});
export const line = (type: string, of: object) => `${JSON.stringify({ type, object: of })}\n`;
export const added = (name: string, version: number) => line('ADDED', object(name, version));
export const modified = (name: string, version: number) => line('MODIFIED', object(name, version));
export const deleted = (name: string, version: number) => line('DELETED', object(name, version));
export const bookmark = (version: number, annotations = {}) =>
  line('BOOKMARK', {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { resourceVersion: String(version), annotations },
  });
export const initialEnd = (version: number) => bookmark(version, { 'k8s.io/initial-events-end': 'true' });
export const failed = (code: number, reason: string) =>
  line('ERROR', { kind: 'Status', code, reason, message: `${reason} it is` });

/** A watch that says this and stays open. */
export const open =
  (...lines: string[]): Answer =>
  (response) => {
    response.writeHead(200).flushHeaders();
    response.write(lines.join(''));
  };
/** A watch that says this and ends. */
export const over =
  (...lines: string[]): Answer =>
  (response) =>
    response.end(lines.join(''));
/** A watch that says this and breaks. */
export const broken =
  (...lines: string[]): Answer =>
  (response) =>
    response.write(lines.join(''), () => response.destroy());
export const json =
  (body: object): Answer =>
  (response) =>
    response.end(JSON.stringify(body));
export const refuse =
  (status: number, reason: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end(JSON.stringify({ message: `${reason} it is`, reason }));
export const list = (version: number, names: string[], more = ''): Answer =>
  json({
    apiVersion: 'v1',
    kind: 'PodList',
    metadata: { resourceVersion: String(version), continue: more },
    items: names.map((name) => ({ metadata: { name, uid: `uid-${name}` } })),
  });
export const unsupported = refuse(422, 'Invalid');
