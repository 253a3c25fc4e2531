import { describe, expect, test } from 'vitest';
import { TLS_STATES, type TlsState } from '../../src/consul/rpc/state.ts';
import {
  authoritiesOf,
  authoritySecret,
  hasOwnTls,
  pairOf,
  TLS_FILES,
  type TlsFiles,
  tlsFilesOf,
  tlsSecret,
} from '../../src/manifests/tls.ts';
import { config } from '../session/fixture.ts';

const FILES: TlsFiles = {
  state: 'enforced',
  goal: 'enforced',
  authorities: 'CA',
  server: { certificate: 'server certificate', key: 'server key' },
  client: { certificate: 'client certificate', key: 'client key' },
  revision: 7,
};

function settings(state: TlsState) {
  const { data } = tlsSecret(config(), 'server', { ...FILES, state });
  const text = Buffer.from((data as Record<string, string>)['tls.json'] ?? '', 'base64').toString();
  return JSON.parse(text).tls;
}

describe('the Secret with the certificate of a role', () => {
  test.each([
    ['off', undefined],
    ['present', [false, false, false]],
    ['outgoing', [true, true, false]],
    ['enforced', [true, true, true]],
  ] as const)('in the state "%s" has its settings', (state, wanted) => {
    const found = settings(state)?.internal_rpc;
    const flags = found && [found.verify_outgoing, found.verify_server_hostname, found.verify_incoming];
    expect(flags).toEqual(wanted);
    if (found) expect(found.key_file).toBe(`/consul/config/${TLS_FILES.key}`);
  });

  test.each(['server', 'client'] as const)('of the %ss holds no key of the other role', (role) => {
    const text = JSON.stringify(tlsSecret(config(), role, FILES));
    const other = role === 'server' ? FILES.client.key : FILES.server.key;
    expect(text).not.toContain(Buffer.from(other).toString('base64'));
  });

  test.each(TLS_STATES)('is read as it was written, in the state "%s"', (state) => {
    for (const rotation of [undefined, 'trust', 'leaves'] as const) {
      const files = { ...FILES, state, ...(rotation && { rotation }) };
      const { server, client: _, ...common } = files;
      expect(tlsFilesOf(tlsSecret(config(), 'server', files))).toEqual({ ...common, pair: server });
    }
  });

  test.each(['off', 'enforced'] as const)('is read with its goal: %s', (goal) => {
    const files = { ...FILES, state: 'present', goal } as const;
    expect(tlsFilesOf(tlsSecret(config(), 'client', files))?.goal).toBe(goal);
  });

  test('tells from which Secret of the user its certificate came', () => {
    const files = { ...FILES, from: { server: 'for-servers', client: 'for-clients' } };
    expect(tlsFilesOf(tlsSecret(config(), 'client', files))?.from).toBe('for-clients');
    expect(tlsFilesOf(tlsSecret(config(), 'client', FILES))?.from).toBeUndefined();
  });

  test.each([
    ['no annotations', { annotations: {} }],
    [
      'an unknown state',
      { annotations: { 'consul-deploy/tls-state': 'x', 'consul-deploy/tls-goal': 'off' } },
    ],
    [
      'an unknown goal',
      { annotations: { 'consul-deploy/tls-state': 'off', 'consul-deploy/tls-goal': 'present' } },
    ],
    ['nothing at all', { annotations: undefined }],
  ])('with %s is not ours', (_, { annotations }) => {
    const secret = tlsSecret(config(), 'server', FILES);
    const metadata = { ...secret.metadata, annotations } as never;
    expect(tlsFilesOf({ ...secret, metadata })).toBeUndefined();
  });

  test('with a revision that is no number is not ours', () => {
    const secret = tlsSecret(config(), 'server', FILES);
    const data = { ...(secret.data as object), revision: Buffer.from('x').toString('base64') };
    expect(tlsFilesOf({ ...secret, data })).toBeUndefined();
  });

  test('with a rotation that nobody knows is in none', () => {
    const secret = tlsSecret(config(), 'server', { ...FILES, rotation: 'trust' });
    const annotations = { ...secret.metadata.annotations, 'consul-deploy/tls-rotation': 'x' };
    const read = tlsFilesOf({ ...secret, metadata: { ...secret.metadata, annotations } });
    expect(read).toMatchObject({ state: 'enforced' });
    expect(read).not.toHaveProperty('rotation');
  });

  test.each(['present', 'outgoing', 'enforced'] as const)(
    'serves HTTPS to kubelets, which have no certificate, in the state "%s"',
    (state) => {
      const { https } = settings(state);
      expect(https).toEqual({
        ca_file: `/consul/config/${TLS_FILES.authorities}`,
        cert_file: `/consul/config/${TLS_FILES.certificate}`,
        key_file: `/consul/config/${TLS_FILES.key}`,
        verify_incoming: false,
      });
    },
  );
});

test('the Secret of the authority is one that Kubernetes knows, and holds what was given', () => {
  const pair = { certificate: 'authority', key: 'key of the authority' };
  const secret = authoritySecret(config(), pair);
  expect(secret).toMatchObject({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'consul-ca', namespace: 'consul', labels: { app: 'consul' } },
  });
  // What that type asks for: https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
  expect(Object.keys(secret.data as object)).toEqual(['tls.crt', 'tls.key']);
  expect(pairOf(secret)).toEqual(pair);
});

test.each(['server', 'client'] as const)('the Secret of the %ss is where their pods look for it', (role) => {
  const secret = tlsSecret(config(), role, FILES);
  expect(secret).toMatchObject({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name: `consul-${role}-tls`, namespace: 'consul', labels: { 'consul-role': role } },
  });
  expect(authoritiesOf(secret)).toBe('CA');
  expect(authoritiesOf({ ...secret, data: undefined } as never)).toBe('');
});

test.each([
  ['{"tls":{"defaults":{}}}', true],
  ['{"TLS":{"defaults":{}}}', true],
  ['{"verify_incoming":true}', true],
  ['{"auto_encrypt":{"tls":true}}', true],
  ['{"log_level":"debug"}', false],
  ['{"node_meta":{"titles":"x"}}', false],
  ['{"service":{"name":"web","tags":["traefik.http.routers.web.tls=true"]}}', false],
  ['{"connect":{"ca_provider":"vault","ca_config":{"ca_file":"/vault/ca.pem"}}}', false],
  ['verify_incoming = true', true],
  ['log_level = "debug"\ntls {\n  defaults {\n    ca_file = "x"\n  }\n}', true],
  ['"tls" = { internal_rpc = {} }', true],
  ['tls "defaults" {}', true],
  ['ports { grpc = 8502 } ca_file = "x"', true],
  ['recursors = ["10.0.0.1"]\ncert_file = "x"', true],
  ['node_name = "$\u007b "a" }" key_file = "x"', true],
  ['node_name = "a\\"" key_file = "x"', true],
  ['node_name = <<EOF\n{\nEOF\nverify_outgoing = true', true],
  ['# tls is for later\n// verify_incoming = true\n/* tls {\n} */', false],
  ['/* not closed tls {}', false],
  ['node_name = "tls {" # "', false],
  ['node_name = tls', false],
  ['bootstrap = true\nserver tls {}', false],
  ['node_name = <<-EOF\n  tls = {}\n  EOF\nserver = true', false],
  ['service {\n  name = "web"\n  tags = ["traefik.http.routers.web.tls=true"]\n}', false],
  ['service "web" {\n  check { tls_skip_verify = true }\n}', false],
  ['connect {\n  ca_config {\n    ca_file = "/vault/ca.pem"\n  }\n}', false],
])('%s: whether TLS is the matter of whoever wrote it', (text, own) => {
  const format = text.startsWith('{') ? 'json' : 'hcl';
  expect(hasOwnTls(config({ serverConfig: { format, text } }))).toBe(own);
  expect(hasOwnTls(config({ clientConfig: { format, text } }))).toBe(own);
});
