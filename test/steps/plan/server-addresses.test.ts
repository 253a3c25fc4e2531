import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { isSettledOtherwise, settleServerAddresses } from '../../../src/steps/plan/server-addresses.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { config, startRun } from '../../session/fixture.ts';

/** The servers of a deploy of ours that advertise this. */
function servers(serverAddresses: 'service' | 'pod'): KubernetesObject {
  const found = render(config({ serverAddresses })).find(({ kind }) => kind === 'StatefulSet');
  if (!found) throw new Error('no servers');
  const ours = {
    manager: 'consul-deploy',
    operation: 'Apply',
    apiVersion: 'apps/v1',
    fieldsType: 'FieldsV1',
  };
  const managedFields = [{ ...ours, fieldsV1: { 'f:spec': {} } }] as never;
  return { ...found, metadata: { ...found.metadata, uid: 'uid-servers', managedFields } };
}

async function start(asked: Config['serverAddresses'], ...objects: KubernetesObject[]) {
  const { cluster, put } = await startFakeApi();
  put(...objects);
  const inputs = startRun({ serverAddresses: asked }).run;
  const { run } = await settleServerAddresses(inputs, cluster, render(inputs.config), undefined);
  const isOtherwise = (record: KubernetesObject[] = []) =>
    isSettledOtherwise(run, cluster, asked, async () => ({ manifests: record }));
  return { run, put, isOtherwise };
}

describe('two deploys at once: what the one that had the lock has made of the addresses counts for the other', () => {
  test.each([
    ['service', 'pod'],
    ['pod', 'service'],
  ] as const)('settled as %s, and the servers have those of their %s now', async (before, now) => {
    const { run, put, isOtherwise } = await start('auto', servers(before));
    expect(run.config.serverAddresses).toBe(before);
    expect(await isOtherwise()).toBe(false);
    put(servers(now));
    expect(await isOtherwise()).toBe(true);
  });

  test('settled as a new cluster, which is none any more', async () => {
    const { run, put, isOtherwise } = await start('auto');
    expect(run.config.serverAddresses).toBe('service');
    expect(await isOtherwise()).toBe(false);
    put(servers('pod'));
    expect(await isOtherwise()).toBe(true);
  });

  test('also where the servers are gone again, and their volumes may be there', async () => {
    const { isOtherwise } = await start('auto');
    expect(await isOtherwise([servers('pod')])).toBe(true);
  });

  test('what was asked for stays as asked for', async () => {
    const { run, put, isOtherwise } = await start('service', servers('pod'));
    put(servers('pod'));
    expect(await isOtherwise()).toBe(false);
    expect(run.config.serverAddresses).toBe('service');
  });
});
