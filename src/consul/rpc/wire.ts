import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { Dial } from '../connection.ts';
import { probe } from '../probe.ts';

/** What a server was seen to do at its port for RPC. */
export interface RpcOnWire {
  /** It answers who speaks to it in plaintext. */
  takesPlaintext: boolean;
  /** What it shows to those who speak TLS: its own, or one of the service mesh. Undefined where it has none. */
  certificate: X509Certificate | undefined;
}

/** The first byte of a connection: https://github.com/hashicorp/consul/blob/v1.22.7/agent/pool/conn.go */
const CONSUL = 0;
const TLS = 3;
/** Longer than a server takes to answer or to close, mostly. */
const AGAIN_MS = 40;

/** `Status.Ping`, in msgpack: the header of a request and its empty body. It needs no token, and changes nothing. */
const PING = Buffer.from([
  ...[0x82, 0xad, ...Buffer.from('ServiceMethod'), 0xab, ...Buffer.from('Status.Ping')],
  ...[0xa3, ...Buffer.from('Seq'), 1],
  0x80,
]);

/**
 * Asks a server in plaintext, and looks at the certificate that it shows. Needs no certificate and no token.
 * @throws Failure `unreachable` for a server that does neither answer nor close
 */
export async function probeRpc(name: string, dial: Dial, signal: AbortSignal): Promise<RpcOnWire> {
  const port = { name, what: 'RPC at port 8300', dial, signal };
  const [takesPlaintext, certificate] = await Promise.all([
    probe(port, isAnswered),
    probe(port, shownCertificate),
  ]);
  return { takesPlaintext, certificate };
}

/**
 * A server that enforces TLS closes; one that does not, answers. A port-forward tells that a server has closed a second later,
 * or as soon as it cannot write (portForward in
 * https://github.com/containerd/containerd/blob/v2.1.0/internal/cri/server/sandbox_portforward_linux.go): so it is given more.
 */
async function isAnswered(stream: Duplex): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  stream.once('data', () => resolve(true));
  stream.once('end', () => resolve(false));
  stream.once('error', reject);
  stream.write(Buffer.concat([Buffer.from([CONSUL]), PING]));
  const again = setInterval(() => stream.writable && stream.write(PING), AGAIN_MS);
  try {
    return await promise;
  } finally {
    clearInterval(again);
  }
}

/** Whether it is to be trusted is for the caller to say: a server without TLS of its own shows one, too. */
function shownCertificate(stream: Duplex): Promise<X509Certificate | undefined> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.write(Buffer.from([TLS]));
    const socket = connect({ socket: stream, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket.getPeerX509Certificate()));
    // It has none: an alert.
    socket.on('error', () => resolve(undefined));
    socket.once('end', () => resolve(undefined));
  });
}
