import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { KeyPair } from '../../../src/certificates/authority.ts';
import type { Dial } from '../../../src/consul/connection.ts';

/** What a server's port for RPC does. */
export interface FakeRpc {
  takesPlaintext: boolean;
  /** Shown to those who speak TLS; an alert for none. */
  pair?: KeyPair;
  /** It takes connections, and says nothing. */
  isSilent?: boolean;
}

/** A server's port for RPC over real TCP: the first byte says what follows. What it does may be changed while it runs. */
export async function startRpc(rpc: FakeRpc): Promise<Dial> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (rpc.isSilent) return;
    socket.once('readable', () => {
      const [first] = (socket.read(1) as Buffer | null) ?? [];
      if (first === 3) return speakTls(socket, rpc.pair);
      if (rpc.takesPlaintext) socket.write(Buffer.from([0x83]));
      else socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return async (signal) => {
    const socket = connect({ port, host: '127.0.0.1', signal });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
}

function speakTls(socket: Socket, pair: KeyPair | undefined): void {
  const secureContext = createSecureContext(pair && { cert: pair.certificate, key: pair.key });
  const secure = new TLSSocket(socket, { isServer: true, secureContext });
  secure.on('error', () => undefined);
}
