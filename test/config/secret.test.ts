import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { inputSecrets } from '../../src/config/secret.ts';
import { given } from './given.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

const KEY_LINES = ['MC4CAQAwBQYDK2VwBCIEIC', 'q1w2e3r4t5y6u7i8o9p0QQ'];
const PEM = ['-----BEGIN PRIVATE KEY-----', ...KEY_LINES, '-----END PRIVATE KEY-----'].join('\n');

describe('a kubeconfig', () => {
  const yaml = (user: object) =>
    JSON.stringify({
      clusters: [
        {
          name: 'production',
          cluster: { server: 'https://10.0.0.1', 'certificate-authority-data': base64('authority') },
        },
      ],
      users: [{ name: 'deployer', user }],
      contexts: [{ name: 'production', context: { cluster: 'production', user: 'deployer' } }],
      'current-context': 'production',
    });
  const secrets = (user: object) => inputSecrets(parseConfig(given({ kubeconfig: base64(yaml(user)) })));

  test.each<[string, object, string[]]>([
    ['a token', { token: 'bearer-token' }, ['bearer-token']],
    ['a password', { username: 'administrator', password: 'pass-word' }, ['pass-word']],
    [
      'a client key',
      { 'client-key-data': base64(PEM), 'client-certificate-data': base64('certificate') },
      [base64(PEM), PEM, ...KEY_LINES, base64('certificate')],
    ],
    [
      'an auth provider',
      {
        'auth-provider': {
          name: 'oidc',
          config: { 'id-token': 'id-token-1', 'client-secret': 'client-secret-1' },
        },
      },
      ['id-token-1', 'client-secret-1'],
    ],
    [
      'the environment of a plugin',
      {
        exec: { command: 'aws-authenticator', env: [{ name: 'AWS_SECRET_ACCESS_KEY', value: 'aws-secret' }] },
      },
      ['aws-secret'],
    ],
    ['files', { tokenFile: '/var/token-file', 'client-key': '/var/client-key' }, []],
  ])('%s', (_, user, expected) => expect(secrets(user).sort()).toEqual(expected.sort()));

  test('with numbers that others read differently is read all the same', () => {
    const odd = 'users: [{user: {token: bearer-token}}]\nclusters: []\nextensions: {a: 0400}';
    expect(inputSecrets(parseConfig(given({ kubeconfig: base64(odd) })))).toEqual(['bearer-token']);
  });

  test('by its path, and inputs without secrets, have none', () => {
    expect(inputSecrets(parseConfig(given({ kubeconfig: '/etc/kubeconfig' })))).toEqual([]);
    expect(inputSecrets(parseConfig({}))).toEqual([]);
  });

  test('beside configuration and patches: all of them', () => {
    const inputs = {
      kubeconfig: base64(yaml({ token: 'bearer-token' })),
      'server-config': '{"encrypt":"gossip-key-1"}',
      'client-config': 'encrypt = "gossip-key-2"',
      patches: 'target: {kind: ConfigMap, name: consul-server}\nmerge: {data: {license: license-1}}',
    };
    expect(inputSecrets(parseConfig(given(inputs)))).toEqual([
      'bearer-token',
      'gossip-key-1',
      'gossip-key-2',
      'license-1',
    ]);
  });
});
