import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { renewCertificates } from '../../../src/steps/encryption/renew.ts';
import { config } from '../../session/fixture.ts';
import { EncryptionWorld } from './encryption-world.ts';
import { authority, pairs, tlsFiles, tlsSecrets } from './tls-files.ts';

const SERVERS = render(config()).find(({ kind }) => kind === 'StatefulSet') as KubernetesObject;

async function verification(secrets: readonly KubernetesObject[]) {
  const made = await EncryptionWorld.start(
    { mode: 'verify', renew: true },
    { secrets: [SERVERS, ...secrets] },
  );
  return { made, renew: () => renewCertificates(made.run, { inventory: { history: [] } }, made.tools) };
}

test('a verification that may renew gives every agent a new certificate where these are due', async () => {
  const { made, renew } = await verification(tlsSecrets(tlsFiles(await pairs(authority, 70))));
  await renew();
  expect(made.broken).toEqual([]);
  expect(made.agents.map(({ reloads, restarts }) => [reloads, restarts])).toEqual(Array(5).fill([1, 0]));
});

test.each([
  ['they are not due', tlsSecrets(tlsFiles())],
  ['there are none', []],
])('it writes nothing where %s', async (_, secrets) => {
  const { made, renew } = await verification(secrets);
  await renew();
  expect(made.events).toEqual([]);
});

test('it says what it may not read', async () => {
  const { made, renew } = await verification(tlsSecrets(tlsFiles()));
  made.denied = ['get secrets'];
  await expect(renew()).rejects.toMatchObject({ reason: 'forbidden' });
  expect(made.events).toEqual([]);
});
