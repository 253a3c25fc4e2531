import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { Failure } from '../../../src/failure.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { deployMode } from '../../../src/modes/deploy.ts';
import { planMode } from '../../../src/modes/plan.ts';
import { kubeconfig } from '../../kubernetes/fake-server.ts';
import { deployed } from '../../session/fake-api.ts';
import { config, startApi, startRun } from '../../session/fixture.ts';
import { pathOf } from '../../session/resources.ts';

const SMALL: Partial<Config> = {
  serverStorage: { kind: 'ephemeral' },
  clients: 'none',
  ui: false,
  // What follows a refusal that was expected here would wait for pods.
  timeout: 20_000,
};

/** A cluster of three servers, as an earlier deploy left it. */
const running = (): Record<string, KubernetesObject> =>
  Object.fromEntries(
    render(config(SMALL))
      .filter(({ kind }) => kind !== 'Namespace')
      .map(({ kind, metadata, ...rest }) => {
        const { name, ...more } = metadata;
        const live = deployed(kind, name, more, rest);
        return [pathOf(live), live];
      }),
  );

async function start(mode: 'plan' | 'deploy', change: Partial<Config> = {}) {
  const api = await startApi({ objects: running() });
  const { run, lines } = startRun({
    ...SMALL,
    servers: 1,
    mode,
    kubeconfig: { kind: 'inline', yaml: kubeconfig(api.url) },
    ...change,
  });
  const work = mode === 'plan' ? planMode : deployMode;
  const failure = await work(run, () => undefined).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
  const writes = api.calls
    .filter(({ method, query }) => method !== 'GET' && query.get('dryRun') !== 'All')
    .map(({ path }) => path)
    .filter((path) => !path.endsWith('/selfsubjectaccessreviews') && !path.includes('/leases'));
  return { api, run, lines, failure, writes };
}

describe('a deploy that would lose data', () => {
  test('is refused before it writes anything, and names the object, the loss and the input to give', async () => {
    const { failure, writes, run } = await start('deploy');
    expect(failure).toMatchObject({
      reason: 'data-loss',
      where: 'StatefulSet/consul-server',
      what: 'this deploy would lose data of StatefulSet/consul-server',
      details: ['StatefulSet/consul-server: the only server has no volume: its data goes with its pod'],
    });
    expect(failure?.hint).toContain('Nothing was changed.');
    expect(failure?.hint).toContain('allow-data-loss: StatefulSet/consul-server');
    expect(writes).toEqual([]);
    expect(run.result().left).toBe('Nothing was changed.');
  });

  test('is refused although its plan was approved', async () => {
    const { run } = await start('plan');
    const approved = run.known.planDigest;
    expect(approved).toMatch(/^sha256:/);
    const { failure, writes } = await start('deploy', { expectPlan: approved });
    expect(failure?.reason).toBe('data-loss');
    expect(writes).toEqual([]);
  });

  test.each([['Service/*'], ['StatefulSet/consul-client']])('is refused with consent to %s', async (glob) => {
    const { failure, writes } = await start('deploy', { allowDataLoss: [glob] });
    expect(failure?.reason).toBe('data-loss');
    expect(writes).toEqual([]);
  });

  test('goes on with consent to that object', async () => {
    const { failure } = await start('deploy', { allowDataLoss: ['StatefulSet/consul-*'] });
    expect(failure?.reason).not.toBe('data-loss');
  });

  test('is planned, with the consent it needs', async () => {
    const { failure, run } = await start('plan');
    expect(failure).toBeUndefined();
    expect(run.known.warnings).toContain(
      'A deploy refuses this plan, which loses data of StatefulSet/consul-server, without the input `allow-data-loss: StatefulSet/consul-server`.',
    );
  });

  test('is planned without a word about consent where the inputs give it', async () => {
    const { run } = await start('plan', { allowDataLoss: ['*/*'] });
    expect(run.known.warnings.join()).not.toContain('allow-data-loss');
  });
});

test('a deploy that loses nothing needs no consent', async () => {
  const { run, failure } = await start('plan', { servers: 3 });
  expect(failure).toBeUndefined();
  expect(run.known.warnings.join()).not.toContain('allow-data-loss');
});
