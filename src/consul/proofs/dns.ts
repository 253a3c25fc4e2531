import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import packet, { type DecodedPacket } from 'dns-packet';
import { Failure } from '../../failure.ts';
import { canonicalAddress } from '../address.ts';
import type { Dial } from '../connection.ts';
import { unreachable } from '../failure.ts';

export interface DnsAnswer {
  /** Of A and AAAA records, also those that come along with an SRV answer. */
  addresses: string[];
  /** `NOERROR`, `NXDOMAIN`, … */
  rcode: string;
}

const LENGTH_BYTES = 2;

/** Asks one DNS question over TCP (RFC 7766), on a stream of its own. `dial` leads to port 8600 of an agent. */
export async function queryDns(
  dial: Dial,
  name: string,
  type: 'A' | 'AAAA' | 'SRV',
  signal: AbortSignal,
): Promise<DnsAnswer> {
  signal.throwIfAborted();
  const id = randomInt(0x10000);
  const stream = await dial(signal);
  const abort = () => stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    stream.write(packet.streamEncode({ type: 'query', id, questions: [{ type, name }] }));
    return toAnswer(await readMessage(stream, name), id, name);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    stream.destroy();
  }
}

async function readMessage(stream: Duplex, name: string): Promise<Buffer> {
  let received = Buffer.alloc(0);
  try {
    for await (const chunk of stream) {
      received = Buffer.concat([received, chunk]);
      if (received.length < LENGTH_BYTES) continue;
      const end = LENGTH_BYTES + received.readUInt16BE(0);
      if (received.length >= end) return received.subarray(LENGTH_BYTES, end);
    }
  } catch (error) {
    const why = error instanceof Failure ? `: ${error.what}` : '';
    throw unreachable(name, `the DNS connection broke before the answer came${why}`, error);
  }
  throw unreachable(name, 'the DNS connection was closed without an answer');
}

function toAnswer(message: Buffer, id: number, name: string): DnsAnswer {
  // @types/dns-packet leaves out the response code that decode() gives.
  let decoded: DecodedPacket & { rcode?: string };
  try {
    decoded = packet.decode(message);
  } catch (error) {
    throw unreachable(name, 'the DNS answer cannot be read', error);
  }
  if (decoded.id !== id) throw unreachable(name, 'the DNS answer belongs to another question');
  const records = [...(decoded.answers ?? []), ...(decoded.additionals ?? [])];
  const addresses = records.flatMap((record) =>
    record.type === 'A' || record.type === 'AAAA' ? [canonicalAddress(record.data)] : [],
  );
  return { addresses, rcode: decoded.rcode ?? 'UNKNOWN' };
}
