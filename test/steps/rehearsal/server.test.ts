import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { rehearsalObjects } from '../../../src/manifests/rehearsal.ts';
import { render } from '../../../src/manifests/render.ts';
import { deployedConfig } from '../../../src/session/deployed-config.ts';
import { explained, startServer } from '../../../src/steps/rehearsal/server.ts';
import { status as answer, json } from '../../kubernetes/fake-server.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { config, startRun } from '../../session/fixture.ts';

const RUNNING = { state: { running: {} } };
const ended = (reason: string, exitCode: number) => ({ state: { terminated: { reason, exitCode } } });

/** A pod whose container has this status as soon as it is made; `refused` says no to the first tries. */
async function world(container: object, { refused = 0, message = '', log = 200 } = {}) {
  let tries = 0;
  const api = await startFakeApi((call, response, objects) => {
    if (call.path.endsWith('/log')) {
      if (log !== 200) answer(response, log, { reason: 'Forbidden', message: 'no' });
      else response.writeHead(200).end('one\ntwo\npanic: no\n');
      return true;
    }
    if (call.method !== 'POST') return undefined;
    tries += 1;
    if (tries <= refused) {
      answer(response, 403, { reason: 'Forbidden', message });
      return true;
    }
    const pod = JSON.parse(call.body) as KubernetesObject;
    const status = { phase: 'Running', containerStatuses: [{ name: 'consul', ...container }] };
    const spec = { ...(pod.spec as object), nodeName: 'n1' };
    const kept = { ...pod, spec, status, metadata: { ...pod.metadata, uid: 'uid', managedFields: [] } };
    objects.set(`${call.path}/${pod.metadata.name}`, kept);
    json(response, 201, kept);
    return true;
  });
  const { run } = startRun();
  const { pod } = rehearsalObjects(run.config, 'later');
  return { run, cluster: api.cluster, pod, objects: api.objects, tries: () => tries };
}

describe('the server of a rehearsal', () => {
  test('has the memory that the servers were deployed with, whatever the inputs of this step are', () => {
    const resources = { requests: { memory: '1Gi' }, limits: { memory: '4Gi' } };
    const deployed = render(config({ serverResources: resources }));
    const { pod } = rehearsalObjects(deployedConfig(config(), deployed).config, 'later');
    expect(pod.spec).toMatchObject({ containers: [{ resources }] });
  });

  test('is waited for until it runs', async () => {
    const { run, cluster, pod } = await world(RUNNING);
    expect((await startServer(run, cluster, pod)).uid).toBe('uid');
  });

  test('is made again while the service account of its namespace is on its way', async () => {
    const message =
      'pods "consul" is forbidden: error looking up service account: serviceaccount "default" not found';
    const { run, cluster, pod, tries } = await world(RUNNING, { refused: 2, message });
    await startServer(run, cluster, pod);
    expect(tries()).toBe(3);
  });

  test('is not made again where a quota refuses it', async () => {
    const { run, cluster, pod, tries } = await world(RUNNING, { refused: 9, message: 'exceeded quota: all' });
    await expect(startServer(run, cluster, pod)).rejects.toThrow('exceeded quota');
    expect(tries()).toBe(1);
  });

  test.each([
    ['Error', 2, 'crash'],
    ['OOMKilled', 137, 'out-of-memory'],
  ])('that has ended (%s) is told with the end of its log', async (why, code, reason) => {
    const { run, cluster, pod } = await world(ended(why, code));
    await expect(startServer(run, cluster, pod)).rejects.toMatchObject({
      reason,
      where: 'Pod/consul',
      details: ['one', 'two', 'panic: no'],
    });
  });

  test('that ends in the middle of the restore is the cause of what broke', async () => {
    const { run, cluster, pod, objects } = await world(RUNNING);
    await startServer(run, cluster, pod);
    const broken = new Error('the connection broke');
    expect(await explained(run, cluster, pod, broken)).toBe(broken);
    for (const [path, object] of objects) {
      const status = { phase: 'Failed', containerStatuses: [{ name: 'consul', ...ended('OOMKilled', 137) }] };
      objects.set(path, { ...object, status } as KubernetesObject);
    }
    expect(await explained(run, cluster, pod, broken)).toMatchObject({ reason: 'out-of-memory' });
  });

  test('that somebody has removed is told as that, and the run is red', async () => {
    const { run, cluster, pod, objects } = await world({
      state: { waiting: { reason: 'ContainerCreating' } },
    });
    const started = startServer(run, cluster, pod);
    started.catch(() => undefined);
    await expect.poll(() => objects.size).toBe(1);
    objects.clear();
    await expect(started).rejects.toMatchObject({ reason: 'not-ready', where: 'Pod/consul' });
  });

  test('whose log cannot be read is told as that, and not as one that said nothing', async () => {
    const { run, cluster, pod } = await world(ended('Error', 2), { log: 403 });
    await expect(startServer(run, cluster, pod)).rejects.toMatchObject({
      reason: 'crash',
      details: [expect.stringContaining('could not be read')],
    });
  });
});
