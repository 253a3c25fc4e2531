import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secretsIn } from '../../src/secret/find.ts';
import { RUNS } from './hostile.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

const KEY_LINES = ['MC4CAQAwBQYDK2VwBCIEIC', 'q1w2e3r4t5y6u7i8o9p0QQ'];
const PEM = ['-----BEGIN PRIVATE KEY-----', ...KEY_LINES, '-----END PRIVATE KEY-----'].join('\n');

const RSA = PEM.replaceAll('PRIVATE', 'RSA PRIVATE');
const SHORT_END = PEM.replace('\n-----END', '\nq1w2e3r4\n-----END');
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
const COMMENTED_OUT = '# about tokens\n# node {\n#   name = "a-server"\n# }';

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
    ['a private key alone', PEM, [PEM, ...KEY_LINES]],
    ['a private key of RSA', RSA, [RSA, ...KEY_LINES]],
    ['an indented private key', `key: |\n${PEM.replace(/^/gm, '    ')}\n`, [PEM, ...KEY_LINES]],
    ['a private key in base64', ` ${base64(PEM)}`, [PEM, ...KEY_LINES]],
    ['a private key behind its certificate', `${CERTIFICATE}\n${PEM}`, [PEM, ...KEY_LINES]],
    ['a certificate alone', CERTIFICATE, []],
    ['a private key with a short last line', SHORT_END, [SHORT_END, ...KEY_LINES]],
    ['a token of the CA', '{"connect":[{"ca_config":[{"token":"s.vault1"}]}]}', ['s.vault1']],
    ['case and punctuation', '{"Secret-ID":"camel1","aclToken":"camel2"}', ['camel1', 'camel2']],
    [
      'cloud auto-join',
      '{"retry_join":["provider=aws tag_key=consul secret_access_key=wJalrXUtnFEMI/K7 region=eu"]}',
      ['wJalrXUtnFEMI/K7'],
    ],
    [
      'broken JSON, whose other names and values are none',
      '{"password": "pass-word", "datacenter": "frankfurt",}',
      ['pass-word'],
    ],
    [
      'quoted names in HCL, of which the others are none',
      '"password" = "pass-word"\n"datacenter" = "frankfurt"',
      ['pass-word'],
    ],
    ['a block that was commented out below words of a comment', COMMENTED_OUT, []],
    ['HCL', 'encrypt = "gossip-key-1"\nlog_level = "debug-level"', ['gossip-key-1']],
    [
      'tokens in HCL',
      'acl {\n  default_policy = "deny-all"\n  tokens {\n    agent = "agent-token"\n    dns = "dns-token-1"\n  }\n}',
      ['agent-token', 'dns-token-1'],
    ],
    [
      'tokens in HCL, nested',
      'acl = { tokens = { "managed_service_provider" = [{ accessor_id = "accessor-1", secret_id = "secret-id-1" }] } }',
      ['accessor-1', 'secret-id-1'],
    ],
    ['escapes in HCL', 'password = "a\\"b\\\\c\\n12"', ['a"b\\c\n12']],
    ['a heredoc', 'license = <<-EOF\n    line-one\n    line-two\n    EOF\n', ['line-one\nline-two']],
    ['a private key in a heredoc', `ca_config {\n  cert = <<EOT\n${PEM}\nEOT\n}`, [PEM, ...KEY_LINES]],
    ['a private key in an HCL string', `x = ${JSON.stringify(PEM)}`, [PEM, ...KEY_LINES]],
    ['a list in HCL', 'tokens = ["token-one", "token-two"]', ['token-one', 'token-two']],
    [
      'tokens in HCL beside a nested block',
      'acl {\n tokens {\n  agent = "agent-token"\n  extra { deep { dns = "dns-token-1" } }\n  default = "default-token"\n }\n policy = "deny-all-else"\n}',
      ['agent-token', 'dns-token-1', 'default-token'],
    ],
    [
      'tokens in HCL behind comments with braces',
      'tokens {\n  # a } in a comment\n  // { and }}\n  /* } \n } */\n  agent = "agent-token" # }\n  dns = "dns-token-1"\n}\nlog_level = "debug-level"',
      ['agent-token', 'dns-token-1'],
    ],
    ['tokens in HCL that were commented out', '# tokens {\n#   agent = "agent-token"\n# }', ['agent-token']],
    [
      'braces in a string',
      `tokens {\n  a = "brace-}-1"\n  b = "brace-{-2"\n  c = "\${x["a"]} more"\n}`,
      ['brace-}-1', 'brace-{-2', `\${x["a"]} more`],
    ],
    [
      'a dollar and a brace that never closes',
      `password = "pass\${word"\nencrypt = "gossip-key-1"`,
      [`pass\${word`, 'gossip-key-1'],
    ],
    ['a list that never closes', 'ports = [ 1, 2\nencrypt = "gossip-key-1"', ['gossip-key-1']],
    [
      'a quote that never closes',
      'password = "pass-word\nencrypt = "gossip-key-1"',
      ['pass-word', 'gossip-key-1'],
    ],
    ['a heredoc that never ends', 'x = <<EOF\nencrypt = "gossip-key-1"', ['gossip-key-1']],
    ['labels of a block', 'tokens "of" "agents" {\n a = "agent-token"\n}', ['agent-token']],
    ['configuration in a heredoc', 'x = <<EOF\nencrypt = "gossip-key-1"\nEOF\n', ['gossip-key-1']],
    ['configuration in a string', `x = ${JSON.stringify('encrypt = "gossip-key-1"')}`, ['gossip-key-1']],
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
    ['an operation on what is no secret', { op: 'add', path: '/spec/zone', value: 'frankfurt' }, []],
    [
      'names and paths that are no texts',
      [
        { name: 7, value: 'the-value-1' },
        { path: { token: true }, value: 'the-value-1' },
      ],
      [],
    ],
    [
      'a reference to a Secret',
      { valueFrom: { secretKeyRef: { name: 'consul-gossip', key: 'gossip' } } },
      [],
    ],
  ])('%s', (_, patch, expected) => expect(secretsIn([patch]).sort()).toEqual(expected.sort()));
});

describe('the environment', () => {
  test.each([
    'CONSUL_HTTP_AUTH',
    'DB_PASS',
    'db_pass',
    'pwd',
    'dbPass',
    'GOOGLE_CREDENTIALS',
    'GPG_KEY',
    'STRIPE_KEY',
    'CONSUL_HTTP_TOKEN',
    'REGISTRY_CREDS',
  ])('%s is a secret', (name) =>
    expect(secretsIn([{ name, value: 'the-value-1' }])).toEqual(['the-value-1']),
  );

  test.each(['BYPASS', 'COMPASS', 'HOME', 'tag_key', 'AUTHORITY', 'KEYS', 'CONSUL_KEY_FILE'])(
    '%s is none',
    (name) => expect(secretsIn([{ name, value: 'the-value-1' }])).toEqual([]),
  );

  test('the path of a file with credentials is none', () =>
    expect(secretsIn([{ name: 'GOOGLE_APPLICATION_CREDENTIALS', value: '/var/run/gcp/key.json' }])).toEqual(
      [],
    ));

  test.each(['a/pass/with.dots', '/etc/consul.d/token.txt of it'])(
    'what only looks like the path of a file is one: %s',
    (value) => expect(secretsIn([{ name: 'CONSUL_HTTP_TOKEN', value }])).toEqual([value]),
  );

  test('a secret of several lines is told by its longer lines, too: a log is read by lines', () => {
    const lines = ['first-line-of-a-secret', 'second-line-of-a-secret', 'short'];
    const value = lines.join('\n  ');
    expect(secretsIn([{ name: 'A_SECRET', value }])).toEqual([...lines.slice(0, 2), value]);
  });

  test('a key in JSON is told whole and by its lines', () =>
    expect(secretsIn([{ name: 'GOOGLE_CREDENTIALS', value: JSON.stringify({ private_key: PEM }) }])).toEqual(
      expect.arrayContaining([PEM, ...KEY_LINES, JSON.stringify({ private_key: PEM })]),
    ));
});

describe('health checks', () => {
  const check = (more: object) =>
    JSON.stringify({ service: { name: 'web', check: { name: 'up', ...more } } });

  test.each<[string, string, string[]]>([
    [
      'the header Authorization',
      check({ header: { Authorization: ['Bearer abcdef'] } }),
      ['abcdef', 'Bearer abcdef'],
    ],
    [
      'a password in the header Authorization',
      check({ header: { Authorization: [`Basic ${base64('user:pass-word')}`] } }),
      [`Basic ${base64('user:pass-word')}`, base64('user:pass-word'), 'pass-word'],
    ],
    [
      'a header of a service',
      check({ header: { 'X-Api-Key': ['api-key-1'], Accept: ['text/plain'] } }),
      ['api-key-1'],
    ],
    [
      'the same in HCL',
      'check { header { Authorization = ["Bearer abcdef"] } }',
      ['abcdef', 'Bearer abcdef'],
    ],
    [
      'a command',
      check({ args: ['curl', '-H', 'Authorization: Bearer abcdef', 'http://localhost'] }),
      ['abcdef', 'Bearer abcdef'],
    ],
    ['a script', 'curl -H "X-Vault-Token: s.vault1" -H "Accept: text/plain"', ['s.vault1']],
    ['a header that is none', 'curl -H "X-Request-Id: request-1"', []],
    ['a token wherever it stands', 'it sent Bearer eyJhbGciOiJSUzI1NiIs', ['eyJhbGciOiJSUzI1NiIs']],
    ['a short token with a digit', 'it sent Bearer token-12345', ['token-12345']],
    ['a token of letters alone', `it sent Bearer ${'abcdef'.repeat(5)}`, ['abcdef'.repeat(5)]],
    [
      'another scheme, behind more than one blank',
      check({ header: { Authorization: ['Splunk  abcdef'] } }),
      ['Splunk  abcdef', 'abcdef'],
    ],
    [
      'what is no user and password',
      ['user and word', '\x00user:pass-word', 'user:pass-word\x00']
        .map((one) => `Basic ${base64(one)}`)
        .join('; '),
      [],
    ],
    ['words of prose', 'Bearer authentication, Basic authentication, bearer tokens', []],
    ['a URL', check({ http: 'https://admin:pass-word@10.0.0.1/up' }), ['pass-word', 'admin:pass-word']],
  ])('%s', (_, text, expected) => expect(secretsIn(text).sort()).toEqual(expected.sort()));
});

describe('URLs', () => {
  test.each<[string, string, string[]]>([
    ['a password', 'postgres://user:pass-word@db:5432/x', ['pass-word', 'user:pass-word']],
    ['a password without a user', 'redis://:pass-word@cache', ['pass-word', ':pass-word']],
    ['a password with an @', 'see amqp://user:p@ss-word@host, and more', ['p@ss-word', 'user:p@ss-word']],
    [
      'a password that is escaped',
      'a://u:p%40ss-word@h',
      ['p%40ss-word', 'p@ss-word', 'u:p%40ss-word', 'u:p@ss-word'],
    ],
    ['a token instead of a user', 'https://token-12345@git.example.com/a', ['token-12345']],
    ['the same by plain HTTP', 'http://token-12345@git.example.com/a', ['token-12345']],
    ['a percent sign that stands for itself', 'a://u:p%ss-word@h', ['p%ss-word', 'u:p%ss-word']],
    ['a scheme that is cut off', '://user:pass-word@db', ['pass-word', 'user:pass-word']],
    ['a user alone', 'ssh://deployer@host/a', []],
    ['an address in a path', 'https://host/a@b:c@d?x=y@z', []],
    ['a port', 'https://host:8443/x', []],
  ])('%s', (_, text, expected) => expect(secretsIn(text).sort()).toEqual(expected.sort()));
});

describe('a Secret', () => {
  test('in data is told, and what it stands for', () => {
    const data = { anything: base64('anything-1'), 'key.pem': base64(PEM) };
    const secret = { kind: 'Secret', metadata: { name: 'consul-gossip' }, data };
    expect(secretsIn([secret]).sort()).toEqual(['anything-1', PEM, ...KEY_LINES].sort());
  });

  test('in a text of JSON is read as one', () => {
    const secret = { kind: 'Secret', data: { anything: base64('anything-1') } };
    expect(secretsIn(`\n  ${JSON.stringify(secret)}`)).toEqual(['anything-1']);
  });

  test.each([null, 'frankfurt', { place: 7 }])('with %j as its data has none', (data) => {
    expect(secretsIn([{ kind: 'Secret', data }])).toEqual([]);
  });

  test('is what the data of a ConfigMap is not', () => {
    const data = { place: 'frankfurt' };
    expect(
      secretsIn([
        { kind: 'ConfigMap', data },
        { type: 'Secret', data },
      ]),
    ).toEqual([]);
  });

  test('with a file of configuration: of that its secrets', () => {
    const text = '{"datacenter":"frankfurt","encrypt":"gossip-key-1"}';
    expect(secretsIn([{ kind: 'Secret', data: { '20-override.json': base64(text) } }])).toEqual([
      'gossip-key-1',
    ]);
  });
});

test('secrets are told in the order in which they stand', () => {
  const tokens = { agent: 'agent-token', dns: 'dns-token-1' };
  expect(secretsIn([{ tokens }, { encrypt: 'gossip-key-1' }])).toEqual([
    'agent-token',
    'dns-token-1',
    'gossip-key-1',
  ]);
});

describe('hostile text', () => {
  const text = fc
    .array(fc.tuple(fc.constantFrom(...RUNS), fc.integer({ min: 1, max: 2000 })), {
      minLength: 1,
      maxLength: 6,
    })
    .map((runs) => runs.map(([run, times]) => run.repeat(times)).join(''));

  test('is read, however deep it nests', () => {
    fc.assert(
      fc.property(text, (hostile) => {
        expect(() => secretsIn([hostile])).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  test.each(RUNS)('does not hide what comes after it in another line: %j', (run) => {
    const secret = 'gossip-key-0123456789';
    // Behind a quote, brace or heredoc that never closes, too.
    expect(secretsIn(`${run.repeat(50)}\n*/\nencrypt = "${secret}"\n`).join(' ')).toContain(secret);
  });
});
