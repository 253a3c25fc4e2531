import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { Dial } from '../connection.ts';
import { unreachable } from '../failure.ts';
import { probe } from '../probe.ts';

/** What an agent was seen to do at its port for HTTPS. */
export interface HttpsOnWire {
  certificate: X509Certificate;
  /** Of its answer to the question who leads. */
  status: number;
}

const REQUEST = 'GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const PORT = 'HTTPS at port 8501';
/** A status line is shorter. */
const LONGEST_LINE = 64;

/**
 * Asks an agent who leads, and looks at the certificate that it shows. Whether that is to be trusted is for the caller to
 * say. Needs no token.
 * @throws Failure `unreachable` for an agent that does not answer, or not with HTTPS
 */
export function probeHttps(name: string, dial: Dial, signal: AbortSignal): Promise<HttpsOnWire> {
  return probe({ name, what: PORT, dial, signal }, async (stream) => {
    const socket = connect({ socket: stream, rejectUnauthorized: false, servername: 'localhost' });
    try {
      const status = await Promise.race([statusOf(socket), errorOf(stream)]);
      const certificate = socket.getPeerX509Certificate();
      if (!certificate || status === undefined) throw unreachable(name, `${PORT} closes without an answer`);
      return { certificate, status };
    } finally {
      socket.on('error', () => undefined);
      socket.destroy();
    }
  });
}

/** Of the connection below, which TLS does not always tell of. */
function errorOf(stream: Duplex): Promise<never> {
  return new Promise((_, reject) => {
    stream.once('error', reject);
  });
}

function statusOf(socket: TLSSocket): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const [, status] = /^HTTP\/1\.[01] (\d{3}) /.exec(answer) ?? [];
      if (status !== undefined || answer.length > LONGEST_LINE)
        resolve(status === undefined ? undefined : Number(status));
    });
    socket.once('end', () => resolve(undefined));
    socket.once('error', reject);
    socket.write(REQUEST);
  });
}
