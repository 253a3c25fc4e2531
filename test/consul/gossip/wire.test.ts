import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gossipAnswer, probeGossip } from '../../../src/consul/gossip/wire.ts';
import { open } from '../fake-consul.ts';

const signal = new AbortController().signal;

/** Type, length of what follows, and as many bytes as come in one segment. */
function encrypted(length: number, sent = length): Buffer {
  const header = Buffer.alloc(5, 10);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, Buffer.alloc(sent, 1)]);
}

describe('the answer of an agent', () => {
  test.each([
    // As Consul 1.22.7 was seen to send them.
    ['is compressed and not encrypted', Buffer.from('0982a4416c6700', 'hex'), 'plaintext'],
    ['is an acknowledgement', Buffer.from('0282', 'hex'), 'plaintext'],
    ['is encrypted, with room for an acknowledgement', encrypted(65), 'takes-both'],
    ['is encrypted, with room for a refusal', encrypted(113), 'strict'],
  ] as const)('%s', (_, bytes, seen) => expect(gossipAnswer(bytes)).toBe(seen));

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request')],
    ['TLS', Buffer.from('150301000202', 'hex')],
    ['a header that is cut', encrypted(65).subarray(0, 3)],
    ['less than there has to be', encrypted(29)],
  ])('says nothing: %s', (_, bytes) => expect(gossipAnswer(bytes)).toBeUndefined());

  test('is never taken for encrypted by its content', () => {
    const plain = fc.uint8Array({ minLength: 1 }).filter(([type]) => type !== 10);
    fc.assert(
      fc.property(plain, (bytes) => [undefined, 'plaintext'].includes(gossipAnswer(Buffer.from(bytes)))),
    );
  });
});

describe('a probe', () => {
  /** An agent's port for gossip. */
  async function port(answer: (ping: Buffer) => Buffer | undefined) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (ping) => {
        const bytes = answer(ping);
        if (bytes) socket.end(bytes);
        else socket.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return (opening: AbortSignal) => open((server.address() as AddressInfo).port, opening);
  }

  test('is one ping, in msgpack', async () => {
    const pings: Buffer[] = [];
    const dial = await port((ping) => {
      pings.push(ping);
      return encrypted(113);
    });
    expect(await probeGossip('consul-client-1', dial, signal)).toBe('strict');
    // 0x82: a map of two; 0xa5 and 0xa4: strings of five and four; 0xa0: an empty one.
    expect(Buffer.concat(pings).toString('latin1')).toBe('\x00\x82\xa5SeqNo\x07\xa4Node\xa0');
  });

  test.each([
    ['closes without a word', undefined],
    ['speaks something else', Buffer.from('SSH-2.0-x')],
  ])('tells of an agent that %s', async (_, answer) => {
    const probe = probeGossip('consul-client-1', await port(() => answer), signal);
    await expect(probe).rejects.toMatchObject({
      reason: 'unreachable',
      where: 'consul-client-1',
      what: 'gossip at port 8301 answers with something else',
    });
  });

  test('ends with the run', async () => {
    const run = new AbortController();
    const dial = await port(() => {
      run.abort(new Error('the run is over'));
      return undefined;
    });
    await expect(probeGossip('consul-client-1', dial, run.signal)).rejects.toThrow('the run is over');
  });
});
