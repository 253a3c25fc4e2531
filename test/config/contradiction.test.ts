import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { given, mistakes } from './given.ts';

describe('contradictions', () => {
  test.each([
    [{ 'stable-for': '10m' }, 'stable-for: given "10m"; allowed: less than timeout, which is 10m'],
    [{ timeout: '5s' }, 'stable-for: given "10s"; allowed: less than timeout, which is 5s'],
    [
      { 'storage-class': 'fast', 'server-storage': 'ephemeral' },
      'storage-class: given "fast"; allowed: nothing with server-storage ephemeral, which has no volumes',
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
  ])('none in %j', (inputs) => {
    expect(mistakes(inputs)).toEqual([]);
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
