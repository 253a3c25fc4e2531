import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { probeRpc } from '../../../src/consul/rpc/wire.ts';
import { type FakeRpc, startRpc } from './fake-rpc.ts';

const authority = await newAuthority('consul');
const pair = await newLeaf(authority, { dns: ['server.dc1.consul'], ips: [] });

async function probe(rpc: FakeRpc) {
  return probeRpc('consul-server-0', await startRpc(rpc), AbortSignal.timeout(20_000));
}

describe('what a server does at its port for RPC', () => {
  test('plaintext alone', async () => {
    expect(await probe({ takesPlaintext: true })).toEqual({ takesPlaintext: true, certificate: undefined });
  });

  test.each([
    ['TLS beside plaintext', true],
    ['TLS alone', false],
  ])('%s, and the certificate that it shows', async (_, takesPlaintext) => {
    const seen = await probe({ takesPlaintext, pair });
    expect(seen.takesPlaintext).toBe(takesPlaintext);
    expect(seen.certificate?.subject).toBe('CN=server.dc1.consul');
    expect(seen.certificate?.toString()).toBe(`${pair.certificate.trim()}\n`);
  });

  test('TLS alone, through a port-forward that tells of an end only when it cannot write', async () => {
    const dial = async () => {
      let written = 0;
      return new Duplex({
        read: () => undefined,
        write(_chunk, _encoding, done) {
          written += 1;
          if (written > 1) this.push(null);
          done();
        },
      });
    };
    const { takesPlaintext } = await probeRpc('consul-server-0', dial, AbortSignal.timeout(20_000));
    expect(takesPlaintext).toBe(false);
  });

  test('one that says nothing is not taken for one that refuses', async () => {
    const rpc = { takesPlaintext: false, isSilent: true };
    await expect(probe(rpc)).rejects.toMatchObject({
      reason: 'unreachable',
      what: expect.stringContaining('port 8300 does not answer within 5000 ms'),
    });
  });

  test('a run that is ended ends the look', async () => {
    const end = new AbortController();
    const looking = probeRpc('x', await startRpc({ takesPlaintext: true, isSilent: true }), end.signal);
    end.abort(new Error('ended'));
    await expect(looking).rejects.toThrow('ended');
  });
});
