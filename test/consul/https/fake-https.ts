import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { KeyPair } from '../../../src/certificates/authority.ts';
import type { Dial } from '../../../src/consul/connection.ts';
import { open } from '../fake-consul.ts';

/** What an agent's port for HTTPS does. What it answers may be changed while it runs. */
export interface FakeHttps {
  pair: KeyPair;
  /** `silence` never answers, `close` ends the connection without an answer. */
  answer: number | 'silence' | 'close';
}

/** An agent's port for HTTPS, over real TLS. */
export async function startHttps(https: FakeHttps): Promise<Dial> {
  const { certificate: cert, key } = https.pair;
  const server = createServer({ cert, key }, (request, response) => {
    if (https.answer === 'close') request.socket.end();
    else if (https.answer !== 'silence') response.writeHead(https.answer).end('"10.0.0.1:8300"');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (signal) => open(port, signal);
}
