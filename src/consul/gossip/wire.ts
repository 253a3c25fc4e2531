import type { Duplex } from 'node:stream';
import type { Dial } from '../connection.ts';
import { unreachable } from '../failure.ts';
import { probe } from '../probe.ts';

/** What an agent was seen to do with gossip: what it sends, and whether it takes what is not encrypted. */
export type GossipOnWire = 'plaintext' | 'takes-both' | 'strict';

/** Types of messages: https://github.com/hashicorp/memberlist/blob/v0.5.2/net.go */
const PING = 0;
const ACK = 2;
const COMPRESSED = 9;
const ERROR = 13;
const ENCRYPTED = 10;

/** A ping for whoever hears it, in msgpack: `{"SeqNo": 7, "Node": ""}`. It changes nothing at the agent. */
const PROBE = Buffer.from([PING, 0x82, 0xa5, ...Buffer.from('SeqNo'), 7, 0xa4, ...Buffer.from('Node'), 0xa0]);

/** Type and length, before what is encrypted. */
const HEADER = 5;
/** Version, nonce and tag: https://github.com/hashicorp/memberlist/blob/v0.5.2/security.go */
const OVERHEAD = 1 + 12 + 16;
/**
 * An agent that takes the ping answers with its number, one that does not with a sentence. Compressed and encrypted these
 * are 36 and 84 bytes (seen on Consul 1.22.2 and 1.22.7).
 */
const LONGEST_ACK = 64;
const LONGEST_ANSWER = 1024;
const PORT = 'gossip at port 8301';

/**
 * Asks an agent in plaintext, at its port for gossip, and looks at the bytes of its answer. Needs no key and no token.
 * @throws Failure `unreachable` for an agent that does not answer, or not as memberlist does
 */
export function probeGossip(name: string, dial: Dial, signal: AbortSignal): Promise<GossipOnWire> {
  return probe({ name, what: PORT, dial, signal }, async (stream) => {
    const seen = gossipAnswer(await exchange(stream));
    if (!seen) throw unreachable(name, `${PORT} answers with something else`);
    return seen;
  });
}

/** What the bytes say; undefined for those that memberlist does not send. */
export function gossipAnswer(bytes: Buffer): GossipOnWire | undefined {
  const [type] = bytes;
  if (type === ACK || type === COMPRESSED || type === ERROR) return 'plaintext';
  if (type !== ENCRYPTED || bytes.length < HEADER) return undefined;
  const length = bytes.readUInt32BE(1) - OVERHEAD;
  if (length <= 0) return undefined;
  return length <= LONGEST_ACK ? 'takes-both' : 'strict';
}

/** Sends the ping; the answer is complete when the agent closes, or when there is more than it could be. */
function exchange(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    stream.on('error', reject);
    stream.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= HEADER || answer.length > LONGEST_ANSWER) resolve(answer);
    });
    stream.on('end', () => resolve(answer));
    stream.write(PROBE);
  });
}
