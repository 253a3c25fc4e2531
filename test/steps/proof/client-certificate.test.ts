import { expect, test } from 'vitest';
import { LEAF_DAYS } from '../../../src/certificates/authority.ts';
import type { Config } from '../../../src/config/config.ts';
import type { TlsFiles } from '../../../src/manifests/tls.ts';
import { proveClientCertificate } from '../../../src/steps/proof/client-certificate.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { type Instead, startFakeApi } from '../../session/fake-api.ts';
import { startRun } from '../../session/fixture.ts';
import { authority, pairs, tlsFiles, tlsSecrets } from '../encryption/tls-files.ts';

async function proven(
  files: TlsFiles | undefined,
  { instead, change = {} }: { instead?: Instead; change?: Partial<Config> } = {},
) {
  const { cluster, put } = await startFakeApi(instead);
  if (files) put(...tlsSecrets(files));
  const { run } = startRun(change);
  const proving = proveClientCertificate(run, cluster);
  const seen = () => run.result().checks.find(({ id }) => id === 'tls-clients');
  return { run, proving, seen };
}

const made = async (days: number, change: Partial<TlsFiles> = {}) =>
  tlsFiles({ ...(await pairs(authority, days)), ...change });

test('the certificate of the clients is long valid', async () => {
  const { run, proving, seen } = await proven(await made(0));
  await proving;
  expect(seen()).toMatchObject({ status: 'passed', observed: expect.stringMatching(/^valid until 20/) });
  expect(run.known.warnings).toEqual([]);
});

test('one that is due is a warning', async () => {
  const { run, proving, seen } = await proven(await made(70));
  await proving;
  expect(seen()?.status).toBe('passed');
  expect(run.known.warnings).toEqual([
    expect.stringMatching(/^The certificate of the clients is valid until 20.*`renew: true`/),
  ]);
});

test.each([
  ['has expired', LEAF_DAYS + 1],
  ['expires', LEAF_DAYS - 1],
])('one that %s is named', async (says, days) => {
  const { proving, seen } = await proven(await made(days));
  await expect(proving).rejects.toMatchObject({
    reason: 'expiring',
    what: expect.stringMatching(`^the certificate of the clients ${says} at 20`),
    where: 'Secret/consul-client-tls in namespace consul',
  });
  expect(seen()?.status).toBe('failed');
});

const refuses: Instead = ({ path }, response) => {
  if (!path.includes('/secrets/')) return undefined;
  status(response, 403, { reason: 'Forbidden' });
  return true;
};

test.each<[string, TlsFiles | undefined, Parameters<typeof proven>[1]]>([
  ['there is no Secret', undefined, {}],
  ['it may not be read', await made(LEAF_DAYS), { instead: refuses }],
  ['there are no clients', await made(LEAF_DAYS), { change: { clients: 'none' } }],
  ['they speak plaintext', await made(LEAF_DAYS, { state: 'off' }), {}],
])('nothing is said of it where %s', async (_, files, options) => {
  const { proving, seen } = await proven(files, options);
  await proving;
  expect(seen()).toBeUndefined();
});
