import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface ConsulResponse<T> {
  status: number;
  /** Parsed JSON, or the text where Consul sends text. */
  body: T;
  index?: number;
  knownLeader?: boolean;
  lastContactMs?: number;
  /** The agent's clock, in ms since 1970, in whole seconds. */
  date?: number;
  /** ACLs left something out of the answer. Consul says so only of requests with a token: see acl.ts. */
  filtered: boolean;
  /** What ACLs allow where no rule says otherwise; undefined where they are off. */
  aclDefault?: 'allow' | 'deny';
}

/** An answer as HTTP has it. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text: Buffer.concat(chunks).toString(),
  };
}

/** What Consul says in the body and the headers of it. */
export function toResponse<T>({ status, headers, text }: Answer): ConsulResponse<T> {
  const json = headers['content-type']?.startsWith('application/json') && text !== '';
  const response: ConsulResponse<T> = {
    status,
    body: json ? JSON.parse(text) : text,
    filtered: headers['x-consul-results-filtered-by-acls'] === 'true',
  };
  const aclDefault = headers['x-consul-default-acl-policy'];
  if (aclDefault === 'allow' || aclDefault === 'deny') response.aclDefault = aclDefault;
  const index = indexOf(headers);
  if (index !== undefined) response.index = index;
  const knownLeader = headers['x-consul-knownleader'];
  if (knownLeader !== undefined) response.knownLeader = knownLeader === 'true';
  const lastContact = Number(headers['x-consul-lastcontact']);
  if (Number.isFinite(lastContact)) response.lastContactMs = lastContact;
  const date = Date.parse(headers.date ?? '');
  if (Number.isFinite(date)) response.date = date;
  return response;
}

/** Of the change that is the last one in the answer. */
export function indexOf(headers: IncomingHttpHeaders): number | undefined {
  const index = Number(headers['x-consul-index']);
  return Number.isSafeInteger(index) ? index : undefined;
}
