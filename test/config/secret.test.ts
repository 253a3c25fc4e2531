import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { inputSecrets, secretsIn } from '../../src/config/secret.ts';
import { given } from './given.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

const KEY_LINES = ['MC4CAQAwBQYDK2VwBCIEIC', 'q1w2e3r4t5y6u7i8o9p0QQ'];
const PEM = ['-----BEGIN PRIVATE KEY-----', ...KEY_LINES, '-----END PRIVATE KEY-----'].join('\n');

describe('agent configuration', () => {
  const tokens = {
    initial_management: 'management-token',
    agent: 'agent-token',
    default: 'default-token',
    replication: 'replication-token',
    dns: 'dns-token-1',
    managed_service_provider: [{ accessor_id: 'accessor-1', secret_id: 'secret-id-1' }],
  };

  test.each<[string, string, string[]]>([
    ['a gossip key', '{"encrypt":"Z29zc2lwLWtleQ=="}', ['Z29zc2lwLWtleQ==']],
    [
      'all tokens',
      JSON.stringify({ acl: { enabled: true, tokens } }),
      [
        'management-token',
        'agent-token',
        'default-token',
        'replication-token',
        'dns-token-1',
        'accessor-1',
        'secret-id-1',
      ],
    ],
    ['a license', '{"license":"02MV4UU43BK5"}', ['02MV4UU43BK5']],
    ['a private key in JSON', JSON.stringify({ connect: { ca_config: { x: PEM } } }), [PEM, ...KEY_LINES]],
    ['a token of the CA', '{"connect":[{"ca_config":[{"token":"s.vault1"}]}]}', ['s.vault1']],
    ['case and punctuation', '{"Secret-ID":"camel1","aclToken":"camel2"}', ['camel1', 'camel2']],
    [
      'cloud auto-join',
      '{"retry_join":["provider=aws tag_key=consul secret_access_key=wJalrXUtnFEMI/K7 region=eu"]}',
      ['wJalrXUtnFEMI/K7'],
    ],
    ['HCL', 'encrypt = "gossip-key-1"\nlog_level = "debug-level"', ['gossip-key-1']],
    [
      'tokens in HCL',
      'acl {\n  default_policy = "deny-all"\n  tokens {\n    agent = "agent-token"\n    dns = "dns-token-1"\n  }\n}',
      ['agent-token', 'dns-token-1'],
    ],
    [
      'tokens in HCL, nested',
      'acl = { tokens = { "managed_service_provider" = [{ accessor_id = "accessor-1", secret_id = "secret-id-1" }] } }',
      ['secret-id-1'],
    ],
    ['escapes in HCL', 'password = "a\\"b\\\\c\\n12"', ['a"b\\c\n12']],
    ['a heredoc', 'license = <<-EOF\n    line-one\n    line-two\n    EOF\n', ['line-one\nline-two']],
    ['a private key in a heredoc', `ca_config {\n  cert = <<EOT\n${PEM}\nEOT\n}`, [PEM, ...KEY_LINES]],
    ['a private key in an HCL string', `x = ${JSON.stringify(PEM)}`, [PEM, ...KEY_LINES]],
    ['a list in HCL', 'tokens = ["token-one", "token-two"]', ['token-one', 'token-two']],
    ['broken JSON', '{"encrypt": "gossip-key-1",}', ['gossip-key-1']],
    ['values of other names', '{"datacenter":"frankfurt","token_file":"/etc/token"}', []],
    ['names of which only a part tells', '{"token_policies":"policies","secretName":"consul-tls"}', []],
    ['short values', '{"encrypt":"short","password":""}', []],
    ['other types', '{"encrypt":true,"token":null,"password":123456,"secret":{"name":"consul-tls"}}', []],
    ['no text', '', []],
  ])('%s', (_, text, expected) => expect(secretsIn(text).sort()).toEqual(expected.sort()));
});

describe('patches', () => {
  test.each<[string, unknown, string[]]>([
    [
      'configuration in a ConfigMap',
      { merge: { data: { 'extra.json': '{"encrypt":"gossip-key-1"}', 'x.hcl': 'license = "license-1"' } } },
      ['gossip-key-1', 'license-1'],
    ],
    [
      'the environment',
      {
        merge: {
          env: [
            { name: 'CONSUL_HTTP_TOKEN', value: 'http-token' },
            { name: 'HOME', value: '/home/consul' },
          ],
        },
      },
      ['http-token'],
    ],
    [
      'an operation',
      { operations: [{ op: 'add', path: '/stringData/gossip-key', value: 'gossip-key-1' }] },
      ['gossip-key-1'],
    ],
    [
      'arguments',
      { args: ['-encrypt=gossip-key-1', '-token', 'http-token', '-datacenter', 'frankfurt'] },
      ['gossip-key-1', 'http-token'],
    ],
    ['a Secret', { merge: { stringData: { anything: 'anything-1' } } }, ['anything-1']],
    [
      'a reference to a Secret',
      { valueFrom: { secretKeyRef: { name: 'consul-gossip', key: 'gossip' } } },
      [],
    ],
  ])('%s', (_, patch, expected) => expect(secretsIn([patch]).sort()).toEqual(expected.sort()));
});

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
