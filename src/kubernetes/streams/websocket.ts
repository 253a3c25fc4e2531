import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { parseApiError } from '../http/status.ts';

const HANDSHAKE_TIMEOUT_MS = 30_000;
const LONGEST_REFUSAL = 64 * 1024;

/**
 * Opens a WebSocket. It is paused, so that no frame is lost before somebody listens: call `resume()` then.
 * @throws ApiError when the server refuses the upgrade, the error of the socket, or the reason of the signal
 */
export function openWebSocket(
  url: string,
  protocol: string,
  options: ClientOptions,
  signal: AbortSignal,
): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = new WebSocket(url, protocol, {
      ...options,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    const settle = () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('open', onOpen).off('unexpected-response', onRefused);
    };
    const fail = (error: unknown) => {
      settle();
      // Ending a socket that is still connecting emits one more error.
      socket.on('error', () => undefined);
      socket.terminate();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    const onOpen = () => {
      settle();
      socket.off('error', fail);
      // Frames may be in already, and whoever awaits this listens only a moment later.
      socket.pause();
      resolve(socket);
    };
    const onRefused = (_request: unknown, response: IncomingMessage) => {
      readRefusal(response).then(
        (body) => fail(parseApiError(response.statusCode ?? 0, response.headers, body)),
        fail,
      );
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('open', onOpen);
    socket.once('error', fail);
    socket.once('unexpected-response', onRefused);
  });
}

async function readRefusal(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > LONGEST_REFUSAL) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
