import { describe, expect, test, vi } from 'vitest';
import { LEAF_DAYS, newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { CurrentPods } from '../../../src/session/current-pods.ts';
import { proveTls, type WantedTls } from '../../../src/steps/proof/tls.ts';
import type { FakeRpc } from '../../consul/rpc/fake-rpc.ts';
import { hurried } from '../hurried.ts';
import { ProofWorld } from './proof-world.ts';

const DAY_MS = 86_400_000;
const SERVERS = ['consul-server-0', 'consul-server-1', 'consul-server-2'];
const NAMES = { dns: ['server.dc1.consul'], ips: [] };
const [ours, others] = [await newAuthority('consul'), await newAuthority('consul')];
const pair = await newLeaf(ours, NAMES);
const PLAIN: FakeRpc = { takesPlaintext: true };
const OFFERED: FakeRpc = { takesPlaintext: true, pair };
const ENFORCED: FakeRpc = { takesPlaintext: false, pair };
const CLOSED: FakeRpc = { takesPlaintext: false };

function world(rpc: readonly FakeRpc[]): ProofWorld {
  const made = new ProofWorld({}, 0);
  for (const [at, name] of SERVERS.entries()) made.rpc.set(name, rpc[at] ?? rpc[0] ?? PLAIN);
  return made;
}

async function prove({ run, workloads, agents }: ProofWorld, wanted: WantedTls): Promise<void> {
  await proveTls(run, { agents, pods: new CurrentPods(run, workloads) }, wanted);
}

function check({ run }: ProofWorld, id: string) {
  return run.result().checks.find((one) => one.id === id);
}

describe('RPC to the servers', () => {
  test.each([
    [
      'enforced',
      [ENFORCED],
      /^TLS, enforced at 3 of 3 servers \(on the wire\), valid until 20.*, by CN=consul-deploy consul/,
    ],
    ['plaintext', [PLAIN], /^plaintext at 3 of 3 servers \(on the wire\)$/],
    ['alike', [OFFERED], /^TLS, not enforced at 3 of 3 servers/],
  ] as const)('that has to be %s is proven', async (wanted, rpc, observed) => {
    const made = world(rpc);
    await prove(made, wanted);
    expect(check(made, 'tls')).toMatchObject({ status: 'passed', observed: expect.stringMatching(observed) });
  });

  test('is in the report, with who has signed and until when', async () => {
    const made = world([ENFORCED]);
    await prove(made, 'enforced');
    const { tls } = made.run.known;
    expect(tls).toMatchObject({ state: 'enforced', issuer: expect.stringMatching(/^CN=consul-deploy/) });
    const days = (Date.parse(tls?.until ?? '') - Date.now()) / DAY_MS;
    expect(Math.round(days)).toBe(LEAF_DAYS);
  });

  test.each([
    [
      'enforced',
      [ENFORCED, OFFERED, ENFORCED],
      /^RPC is TLS, not enforced at consul-server-1, and has to be TLS, enforced$/,
    ],
    ['enforced', [PLAIN], /^RPC is plaintext at consul-server-0/],
    [
      'alike',
      [PLAIN, PLAIN, ENFORCED],
      /^RPC is TLS, enforced at consul-server-2, and plaintext at consul-server-0$/,
    ],
    ['plaintext', [PLAIN, ENFORCED], /^RPC is TLS, enforced at consul-server-1, and has to be plaintext$/],
  ] as const)(
    'that has to be %s is not, where a server does otherwise, and it is named',
    async (wanted, rpc, what) => {
      const made = world(rpc);
      hurried();
      const failure = { reason: 'not-encrypted', what: expect.stringMatching(what) };
      await expect(prove(made, wanted)).rejects.toMatchObject(failure);
      expect(check(made, 'tls')?.status).toBe('failed');
    },
  );

  test.each(['enforced', 'alike', 'plaintext'] as const)(
    'of a server that closes without a certificate of its own is not enforced (%s), and it is named',
    async (wanted) => {
      const made = world(wanted === 'enforced' ? [CLOSED, ENFORCED, ENFORCED] : [CLOSED]);
      hurried();
      await expect(prove(made, wanted)).rejects.toMatchObject({
        reason: 'certificate',
        what: expect.stringContaining('shows no certificate of its own'),
        where: 'Pod/consul-server-0',
      });
    },
  );

  test('of a server that closes since it starts is looked at again', async () => {
    const made = world([ENFORCED, CLOSED, ENFORCED]);
    const proving = prove(made, 'enforced');
    await vi.waitFor(() => expect(check(made, 'tls')?.observed).toContain('shows no certificate'), 5_000);
    made.rpc.set('consul-server-1', ENFORCED);
    await proving;
    expect(check(made, 'tls')?.status).toBe('passed');
  });

  test('a certificate of another authority is named', async () => {
    const stranger: FakeRpc = { takesPlaintext: false, pair: await newLeaf(others, NAMES) };
    const made = world([ENFORCED, ENFORCED, stranger]);
    hurried();
    await expect(prove(made, 'enforced')).rejects.toMatchObject({
      reason: 'certificate',
      where: 'Pod/consul-server-2',
    });
  });

  test.each([
    ['has expired', LEAF_DAYS + 1],
    ['expires', LEAF_DAYS - 5],
  ])('a certificate that %s is named at once', async (says, days) => {
    const old = await newLeaf(ours, NAMES, Date.now() - days * DAY_MS);
    const made = world([ENFORCED, { takesPlaintext: false, pair: old }]);
    // Nothing lasts, so no patience ever ends.
    hurried(0);
    await expect(prove(made, 'enforced')).rejects.toMatchObject({
      reason: 'expiring',
      what: expect.stringMatching(`^the certificate of consul-server-1 ${says} at 20`),
      hint: expect.stringContaining('`renew: true`'),
    });
  });

  test('a certificate that is due is a warning', async () => {
    const due = await newLeaf(ours, NAMES, Date.now() - 70 * DAY_MS);
    const made = world([{ takesPlaintext: false, pair: due }]);
    await prove(made, 'enforced');
    expect(made.run.known.warnings).toEqual([
      expect.stringMatching(/^The certificate of consul-server-0 is valid until 20/),
    ]);
  });

  test('that a port-forward does not reach at any server was not seen, and the run says so', async () => {
    const made = world([PLAIN]);
    for (const name of SERVERS) made.withoutRpc.add(name);
    await prove(made, 'alike');
    expect(check(made, 'tls')).toMatchObject({
      status: 'skipped',
      observed: expect.stringContaining('not seen'),
    });
  });

  test('that a port-forward does not reach is not taken for enforced', async () => {
    const made = world([ENFORCED]);
    for (const name of SERVERS) made.withoutRpc.add(name);
    const proving = prove(made, 'enforced');
    await vi.waitFor(() => expect(check(made, 'tls')?.observed).toContain('nothing listens'), 5_000);
    made.withoutRpc.clear();
    await proving;
    expect(check(made, 'tls')?.status).toBe('passed');
  });
});
