import { STATUS_CODES } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { ApiError, NetworkError } from '../error.ts';
import { isJsonObject } from '../json.ts';

const decompress = promisify(gunzip);

/** The whole body as text; throws the errors of the socket. */
export async function readText(response: Dispatcher.ResponseData): Promise<string> {
  const bytes = Buffer.from(await response.body.arrayBuffer());
  const plain = response.headers['content-encoding'] === 'gzip' ? await decompress(bytes) : bytes;
  return plain.toString('utf8');
}

/** @throws NetworkError when it is no object: `NOT_JSON` for another kind of server, `INVALID_JSON` for a torn answer */
export function parseJson<T>(server: string, contentType: unknown, text: string): T {
  const isJson = String(contentType ?? 'application/json').includes('json');
  const value = isJson ? parsed(server, text) : undefined;
  if (isJsonObject(value)) return value as T;
  const what = `the answer is not ${isJson ? 'a JSON object' : 'JSON'}, so this is no Kubernetes API server`;
  throw new NetworkError(server, 'NOT_JSON', what);
}

function parsed(server: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's own message, which quotes the body.
    throw new NetworkError(server, 'INVALID_JSON', 'the answer is incomplete or broken JSON');
  }
}

/** `299 - "text"`, one or several in a header (https://www.rfc-editor.org/rfc/rfc7234#section-5.5). */
export function parseWarnings(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] ?? '').replace(/\\(.)/g, '$1'),
  );
}

/** Errors of sockets and of undici carry their code at some depth of the chain of causes; others stay as they are. */
export function asNetworkError(server: string, error: unknown): unknown {
  if (error instanceof NetworkError || error instanceof ApiError) return error;
  for (let link = error; link instanceof Error; link = link.cause) {
    const code = 'code' in link && typeof link.code === 'string' ? link.code : undefined;
    if (code !== undefined) return new NetworkError(server, code, link.message, error);
  }
  return error;
}

/** A few words for a log; nothing of headers or bodies. */
export function shortCause(error: unknown): string {
  if (error instanceof NetworkError) return error.code;
  if (error instanceof ApiError) {
    return `${error.status} ${error.reason || STATUS_CODES[error.status] || ''}`.trim();
  }
  return 'failed';
}
