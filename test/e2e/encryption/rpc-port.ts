import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectWithTls } from 'node:tls';

/** As an agent opens a connection for RPC in plaintext. One that stays open for two seconds is not closed. */
export async function closesAtPlaintext(ip: string): Promise<boolean> {
  const socket = connect(8300, ip);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(Buffer.from([4]));
  socket.resume();
  try {
    await once(socket, 'close', { signal: AbortSignal.timeout(2_000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The certificate of a server, at its port for RPC. */
export async function shown(ip: string): Promise<X509Certificate> {
  const socket = connect(8300, ip);
  await once(socket, 'connect');
  socket.write(Buffer.from([3]));
  const secure = connectWithTls({ socket, rejectUnauthorized: false });
  secure.on('error', () => undefined);
  await once(secure, 'secureConnect');
  const certificate = secure.getPeerX509Certificate();
  secure.destroy();
  if (!certificate) throw new Error(`${ip} shows no certificate`);
  return certificate;
}
