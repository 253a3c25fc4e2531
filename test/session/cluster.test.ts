import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/session/cluster.ts';
import { kubeconfig } from '../kubernetes/fake-server.ts';
import { type ClusterShape, startApi, startRun } from './fixture.ts';

async function attempt(expectCluster: string | undefined, shape: ClusterShape = {}) {
  const api = await startApi(shape);
  const { run } = startRun({ kubeconfig: { kind: 'inline', yaml: kubeconfig(api.url) }, expectCluster });
  const outcome = await connect(run, () => undefined).then(
    (cluster) => {
      onTestFinished(() => cluster.transport.close());
      return 'connected';
    },
    (error: unknown) => error,
  );
  return { outcome, api, run };
}

test('a connection tells what cluster it is', async () => {
  const { outcome, api, run } = await attempt(undefined);
  expect(outcome).toBe('connected');
  expect(run.known.cluster).toEqual({ server: api.url, context: 'fake', version: 'v1.34.1' });
});

describe('expect-cluster', () => {
  test.each(['fake', 'f*', '127.0.0.1:*', 'http://127.0.0.1:*', '*127.0.0.1*', '{real,fake}'])(
    '%s is this cluster',
    async (glob) => expect((await attempt(glob)).outcome).toBe('connected'),
  );

  test.each(['production', 'fak', 'https://*', 'fake-*', '*:6443'])(
    '%s is another, which is asked nothing',
    async (glob) => {
      const { outcome, api, run } = await attempt(glob);
      expect(outcome).toMatchObject({ reason: 'wrong-cluster', where: 'expect-cluster' });
      expect(api.calls).toEqual([]);
      expect(run.failedChecks()).toMatchObject([{ id: 'cluster-expected', expected: glob }]);
    },
  );
});

describe('an expect-cluster that rules clusters out', () => {
  test.each(['!*prod*', '!(*prod*)', '!prod*', '!{real,production}', '!!f*'])(
    '%s lets this cluster through',
    async (glob) => expect((await attempt(glob)).outcome).toBe('connected'),
  );

  test.each([
    ['!fake', 'the context fake'],
    ['!f*', 'the context fake'],
    ['!(f*)', 'the context fake'],
    ['!{real,fake}', 'the context fake'],
    ['!*127.0.0.1*', 'the API server http://127.0.0.1:'],
    ['!127.0.0.1:*', 'the API server http://127.0.0.1:'],
    ['!*', 'and the context fake'],
  ])('%s rules out %s, and the cluster is asked nothing', async (glob, named) => {
    const { outcome, api, run } = await attempt(glob);
    expect(outcome).toMatchObject({ reason: 'wrong-cluster', what: expect.stringContaining(named) });
    expect(api.calls).toEqual([]);
    expect(run.failedChecks()).toMatchObject([{ id: 'cluster-expected', expected: glob }]);
  });
});

test('a cluster that does not say its version is a failure', async () => {
  const { outcome } = await attempt(undefined, { broken: { '/version': 403 } });
  expect(outcome).toMatchObject({ name: 'Failure', reason: 'forbidden' });
});
