import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { probeHttps } from '../../../src/consul/https/wire.ts';
import { open } from '../fake-consul.ts';
import { type FakeHttps, startHttps } from './fake-https.ts';

const authority = await newAuthority('consul');
const pair = await newLeaf(authority, { dns: ['server.dc1.consul'], ips: [] });
const signal = () => AbortSignal.timeout(20_000);

async function probe(answer: FakeHttps['answer'], stop = signal()) {
  return probeHttps('consul-server-0', await startHttps({ pair, answer }), stop);
}

describe('what an agent does at its port for HTTPS', () => {
  test.each([200, 403, 500])('it shows a certificate, and answers %i', async (status) => {
    const seen = await probe(status);
    expect(seen.status).toBe(status);
    expect(seen.certificate.subject).toBe('CN=server.dc1.consul');
  });

  test('one that closes without an answer is told of', async () => {
    await expect(probe('close')).rejects.toMatchObject({
      reason: 'unreachable',
      what: expect.stringContaining('closes without an answer'),
    });
  });

  test('and one that says nothing', async () => {
    await expect(probe('silence')).rejects.toMatchObject({
      reason: 'unreachable',
      what: expect.stringContaining('port 8501 does not answer within 5000 ms'),
    });
  });

  test('what is no TLS is no HTTPS', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await expect(probeHttps('x', (stop) => open(port, stop), signal())).rejects.toThrow();
  });

  test('a run that is ended ends the look', async () => {
    const end = new AbortController();
    const looking = probe('silence', end.signal);
    end.abort(new Error('ended'));
    await expect(looking).rejects.toThrow('ended');
  });
});
