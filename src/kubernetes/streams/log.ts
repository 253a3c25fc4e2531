import { ApiError } from '../error.ts';
import type { Transport } from '../http/transport.ts';

const LINES = 200;
const BYTES = 65_536;

export interface LogSource {
  namespace: string;
  pod: string;
  container: string;
  /** Of the container that ended before the present one. */
  previous: boolean;
}

/** The last 200 lines a container wrote, at most 64 KiB; undefined when there is none. */
export async function readLog(
  transport: Transport,
  { namespace, pod, container, previous }: LogSource,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
  const query = { container, tailLines: LINES, limitBytes: BYTES, previous: previous || undefined };
  try {
    const call = { method: 'GET', path, query, accept: '*/*', signal } as const;
    const { body } = await transport.request<string>(call);
    // What an agent complains of may quote a password.
    transport.onObject?.(body);
    return String(body);
  } catch (error) {
    // It has not begun, or there was none before it.
    if (error instanceof ApiError && (error.status === 400 || error.status === 404)) return undefined;
    throw error;
  }
}
