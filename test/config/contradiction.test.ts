import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { given, mistakes } from './given.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;

describe('contradictions', () => {
  test.each([
    [{ 'stable-for': '10m' }, 'stable-for: given "10m"; allowed: less than timeout, which is 10m'],
    [{ timeout: '5s' }, 'stable-for: given "10s"; allowed: less than timeout, which is 5s'],
    [
      { 'storage-class': 'fast', 'server-storage': 'ephemeral' },
      'storage-class: given "fast"; allowed: nothing with server-storage ephemeral, which has no volumes',
    ],
    [
      { 'server-addresses': 'service', 'server-storage': 'ephemeral' },
      'server-addresses: given "service"; allowed: auto or pod with server-storage ephemeral; a server without its data must not come back at an address that votes',
    ],
    [
      { mode: 'plan', 'expect-plan': DIGEST },
      `expect-plan: given "${DIGEST}"; allowed: nothing with mode plan; it holds a deploy to its plan`,
    ],
    [{ mode: 'destroy' }, 'confirm: given nothing; allowed: "consul", the name of the cluster to destroy'],
    [
      { mode: 'destroy', confirm: 'other', name: 'c2' },
      'confirm: given "other"; allowed: "c2", the name of the cluster to destroy',
    ],
    [
      { tls: 'false', https: 'also' },
      'https: given "also"; allowed: off with tls false, which has no certificates',
    ],
    [
      { clients: 'none', 'client-replicas': '3' },
      'client-replicas: given "3"; allowed: nothing with clients none; it counts the clients of a statefulset',
    ],
    [
      { clients: 'daemonset', 'client-replicas': '11' },
      'client-replicas: given "11"; allowed: nothing with clients daemonset; it counts the clients of a statefulset',
    ],
    [
      { clients: 'none', 'move-registrations': 'true' },
      'move-registrations: given "true"; allowed: false with clients none; there would be no client to move them to',
    ],
    [
      { 'sweep-apply': 'true' },
      'sweep-apply: given "true"; allowed: nothing with mode deploy; it says what a sweep removes',
    ],
    [
      { mode: 'verify', deregister: 'web-1' },
      'deregister: given "web-1"; allowed: nothing with mode verify; it says what a sweep removes',
    ],
    [
      { mode: 'deploy', chaos: 'delete-server' },
      'chaos: given "delete-server"; allowed: nothing with mode deploy; only verify breaks on purpose what it has proven',
    ],
    [
      { mode: 'verify', rotate: 'ca' },
      'rotate: given "ca"; allowed: nothing with mode verify; only a deploy rotates, and a plan tells what it will do',
    ],
    [
      { mode: 'sweep', renew: 'true' },
      'renew: given "true"; allowed: nothing with mode sweep; verify renews with it, and deploy in any case',
    ],
    [
      { 'gossip-encryption': 'false', rotate: 'gossip' },
      'rotate: given "gossip"; allowed: not gossip with gossip-encryption false',
    ],
    [
      { 'gossip-encryption': 'false', 'gossip-key-secret': 'mine' },
      'gossip-key-secret: given "mine"; allowed: nothing with gossip-encryption false, which has no key',
    ],
    [
      { rotate: 'ca', 'tls-secret': 'a', 'tls-client-secret': 'b' },
      'rotate: given "ca"; allowed: not ca with tls-secret; a new authority goes into that Secret, and any deploy takes it',
    ],
    [{ tls: 'false', rotate: 'ca' }, 'rotate: given "ca"; allowed: not ca with tls false'],
    [
      { tls: 'false', https: 'only' },
      'https: given "only"; allowed: off with tls false, which has no certificates',
    ],
    [
      { 'tls-secret': 'a' },
      'tls-secret: given "a"; allowed: together with tls-client-secret: a client must not have the certificate of a server',
    ],
    [{ mode: 'destroy' }, 'confirm: given nothing; allowed: "consul", the name of the cluster to destroy'],
    [{ 'tls-client-secret': 'a' }, 'tls-client-secret: given "a"; allowed: together with tls-secret'],
    [
      { tls: 'false', 'tls-secret': 'a', 'tls-client-secret': 'b' },
      'tls-secret: given "a"; allowed: nothing with tls false, which has no certificates',
    ],
  ])('%j', (inputs, line) => {
    expect(mistakes(inputs)).toEqual([line]);
  });

  test('what a sweep removes reaches the Config, and Consul itself is none of it', () => {
    const inputs = { mode: 'sweep', 'sweep-apply': 'true', deregister: 'web-1\nweb:2, a/b' };
    expect(parseConfig(given(inputs))).toMatchObject({
      mode: 'sweep',
      sweepApply: true,
      deregister: ['web-1', 'web:2', 'a/b'],
    });
    expect(mistakes({ ...inputs, deregister: 'web, consul' })).toEqual([
      expect.stringMatching(/^deregister: given "consul"; allowed: ids of services, other than consul/),
    ]);
  });

  test.each([
    { clients: 'none', 'client-replicas': '10' },
    { clients: 'daemonset' },
    { 'storage-class': 'fast' },
    { timeout: '11s' },
    { mode: 'verify', chaos: 'delete-leader, delete-client' },
    { mode: 'plan', rotate: 'ca, gossip' },
    { rotate: 'ca, gossip' },
    { 'expect-plan': DIGEST },
    { mode: 'destroy', confirm: 'consul' },
    { mode: 'verify', renew: 'true' },
    { renew: 'true' },
    { 'client-replicas': '3' },
    { 'move-registrations': 'true' },
    { 'server-addresses': 'service' },
    { 'server-addresses': 'pod', 'server-storage': 'ephemeral' },
    { 'gossip-encryption': 'false', rotate: 'ca' },
    { 'gossip-key-secret': 'mine', rotate: 'gossip' },
    { 'tls-secret': 'a', 'tls-client-secret': 'b', rotate: 'gossip', https: 'only' },
    { tls: 'false', https: 'off', rotate: 'gossip' },
    { tls: 'false', https: '' },
    // A workflow may give it whatever the mode.
    { confirm: 'other' },
  ])('none in %j', (inputs) => {
    expect(mistakes(inputs)).toEqual([]);
  });

  test.each([
    [{ mode: 'x', 'expect-plan': DIGEST, 'sweep-apply': 'true', from: 'survivor', restore: 'a' }, ['mode']],
    [{ mode: 'x', compare: 'cluster', rehearse: 'true', chaos: 'delete-server', renew: 'true' }, ['mode']],
    [{ timeout: '5s', 'stable-for': 'x' }, ['stable-for']],
    [{ clients: 'x', 'client-replicas': '3', 'move-registrations': 'true' }, ['clients']],
    [{ 'server-storage': 'x', 'storage-class': 'fast', 'server-addresses': 'service' }, ['server-storage']],
    [{ mode: 'destroy', name: 'X', confirm: 'X' }, ['name']],
    [{ tls: 'false', https: 'x' }, ['https']],
    [{ mode: 'verify', rotate: 'x' }, ['rotate']],
    [{ mode: 'verify', deregister: 'consul' }, ['deregister']],
    [{ mode: 'plan', chaos: 'x' }, ['chaos']],
  ])('nothing is said of what would contradict an input that is wrong itself: %j', (inputs, names) => {
    expect(mistakes(inputs).map((line) => line.split(':', 1)[0])).toEqual(names);
  });

  test('they are told beside the mistakes of other inputs, and not of inputs that are wrong themselves', () => {
    expect(
      mistakes({ timeout: '5', 'stable-for': '1h', clients: 'none', 'client-replicas': '2', ui: 'yes' }),
    ).toEqual([
      expect.stringMatching(/^timeout: /),
      expect.stringMatching(/^ui: /),
      expect.stringMatching(/^client-replicas: given "2"; allowed: nothing/),
    ]);
  });
});
