import type { X509Certificate } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import type { Dial } from '../connection.ts';
import { unreachable } from '../failure.ts';

/** What an agent was seen to do at its port for HTTPS. */
export interface HttpsOnWire {
  certificate: X509Certificate;
  /** Of its answer to the question who leads. */
  status: number;
}

const REQUEST = 'GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const TIMEOUT_MS = 5_000;

/**
 * Asks an agent who leads, and looks at the certificate that it shows. Whether that is to be trusted is for the caller to
 * say. Needs no token.
 * @throws Failure `unreachable` for an agent that does not answer, or not with HTTPS
 */
export async function probeHttps(name: string, dial: Dial, signal: AbortSignal): Promise<HttpsOnWire> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const both = AbortSignal.any([signal, timeout]);
  try {
    const stream = await dial(both);
    const socket = connect({ socket: stream, rejectUnauthorized: false, servername: 'localhost' });
    try {
      const status = await statusOf(socket, both);
      const certificate = socket.getPeerX509Certificate();
      if (!certificate || status === undefined)
        throw unreachable(name, 'HTTPS at port 8501 closes without an answer');
      return { certificate, status };
    } finally {
      for (const one of [socket, stream]) {
        one.on('error', () => undefined);
        one.destroy();
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted)
      throw unreachable(name, `HTTPS at port 8501 does not answer within ${TIMEOUT_MS} ms`);
    throw error;
  }
}

function statusOf(socket: TLSSocket, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const [, status] = /^HTTP\/1\.[01] (\d{3}) /.exec(answer) ?? [];
      if (status !== undefined || answer.length > 64) {
        signal.removeEventListener('abort', abort);
        resolve(status === undefined ? undefined : Number(status));
      }
    });
    socket.once('end', () => resolve(undefined));
    socket.once('error', reject);
    socket.write(REQUEST);
  });
}
