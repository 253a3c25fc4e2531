import { describe, expect, test } from 'vitest';
import { TLS_STATES, type TlsState } from '../../src/consul/rpc/state.ts';
import { hasOwnTls, TLS_FILES, type TlsFiles, tlsFilesOf, tlsSecret } from '../../src/manifests/tls.ts';
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
  return JSON.parse(text).tls?.internal_rpc;
}

describe('the Secret with the certificate of a role', () => {
  test.each([
    ['off', undefined],
    ['present', [false, false, false]],
    ['outgoing', [true, true, false]],
    ['enforced', [true, true, true]],
  ] as const)('in the state "%s" has its settings', (state, wanted) => {
    const found = settings(state);
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

  test.each([
    ['no annotations', { annotations: {} }],
    [
      'an unknown state',
      { annotations: { 'consul-deploy/tls-state': 'x', 'consul-deploy/tls-goal': 'off' } },
    ],
  ])('with %s is not ours', (_, metadata) => {
    const secret = tlsSecret(config(), 'server', FILES);
    expect(tlsFilesOf({ ...secret, metadata: { ...secret.metadata, ...metadata } })).toBeUndefined();
  });
});

test.each([
  ['{"tls":{"defaults":{}}}', true],
  ['verify_incoming = true', true],
  ['{"auto_encrypt":{"tls":true}}', true],
  ['{"log_level":"debug"}', false],
  ['{"node_meta":{"titles":"x"}}', false],
])('%s: whether TLS is the matter of whoever wrote it', (text, own) => {
  expect(hasOwnTls(config({ serverConfig: { format: 'json', text } }))).toBe(own);
});
