import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import packet, { type Answer, type Packet } from 'dns-packet';
import { expect, onTestFinished, test } from 'vitest';
import type { Dial } from '../../../src/consul/client.ts';
import { unreachable } from '../../../src/consul/failure.ts';
import { queryDns } from '../../../src/consul/proofs/dns.ts';
import { open } from '../fake-consul.ts';

const signal = new AbortController().signal;
const NAME = 'consul.service.consul';

/** A DNS server over TCP. */
async function dnsServer(reply: (socket: Socket, question: Packet) => void): Promise<Dial> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => reply(socket, packet.streamDecode(data)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return (given) => open(port, given);
}

const encode = ({ id = 0, questions = [] }: Packet, answers: Answer[], flags = 0) =>
  packet.streamEncode({ type: 'response', id, flags, questions, answers });

test('addresses, also when the answer comes in pieces', async () => {
  const asked: unknown[] = [];
  const dial = await dnsServer((socket, question) => {
    asked.push(question.questions?.map(({ name, type }) => [name, type]));
    const answer = encode(question, [
      { type: 'A', name: NAME, data: '10.0.0.1' },
      { type: 'A', name: NAME, data: '10.0.0.2' },
    ]);
    socket.setNoDelay();
    socket.write(answer.subarray(0, 1));
    // Apart in time, or the kernel would put them together again.
    setTimeout(() => socket.write(answer.subarray(1, 20)), 20);
    setTimeout(() => socket.write(answer.subarray(20)), 40);
  });
  expect(await queryDns(dial, NAME, 'A', signal)).toEqual({
    addresses: ['10.0.0.1', '10.0.0.2'],
    rcode: 'NOERROR',
  });
  expect(asked).toEqual([[[NAME, 'A']]]);
});

test('an unknown name is an answer', async () => {
  const dial = await dnsServer((socket, question) => socket.write(encode(question, [], 3)));
  expect(await queryDns(dial, NAME, 'A', signal)).toEqual({ addresses: [], rcode: 'NXDOMAIN' });
});

test('a stream that breaks for a reason: the reason is told', async () => {
  const dial = async () => {
    const stream = new PassThrough();
    stream.destroy(unreachable('the pod', 'nothing listens on port 8600 of the pod'));
    return stream;
  };
  await expect(queryDns(dial, NAME, 'A', signal)).rejects.toThrow(
    'broke before the answer came: nothing listens on port 8600 of the pod',
  );
});

test.each([
  ['closed without an answer', (socket: Socket) => void socket.end()],
  ['broken', (socket: Socket) => void socket.resetAndDestroy()],
  ['unreadable', (socket: Socket) => void socket.write(Buffer.from('0003010203', 'hex'))],
  [
    'to another question',
    (socket: Socket, question: Packet) =>
      void socket.write(encode({ ...question, id: ((question.id ?? 0) + 1) % 0x10000 }, [])),
  ],
])('%s', async (_, reply) => {
  await expect(queryDns(await dnsServer(reply), NAME, 'A', signal)).rejects.toMatchObject({
    reason: 'unreachable',
    where: NAME,
  });
});

test('silence ends with the signal, and the connection with it', async () => {
  const stop = new AbortController();
  let closed = false;
  const dial = await dnsServer((socket) => {
    socket.on('close', () => {
      closed = true;
    });
    stop.abort(new Error('deadline'));
  });
  await expect(queryDns(dial, NAME, 'A', stop.signal)).rejects.toThrow('deadline');
  await expect.poll(() => closed).toBe(true);
});
