import { describe, expect, test } from 'vitest';
import { changePlan } from '../../../src/change/plan.ts';
import { podsOf } from '../../../src/change/workload.ts';
import type { Config } from '../../../src/config/config.ts';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { withImagesInPods } from '../../../src/steps/apply/image-in-pods.ts';
import type { Call } from '../../kubernetes/fake-server.ts';
import { status } from '../../kubernetes/fake-server.ts';
import { startFakeApi } from '../../session/fake-api.ts';
import { config, startRun } from '../../session/fixture.ts';

const [OLD, NEW] = ['hashicorp/consul:1.22.2', 'hashicorp/consul:1.22.7'];
const [SERVERS, CLIENTS] = ['consul-server', 'consul-client'];
const INSTEAD = 'its pods are replaced, where a restart of the agents in them would do otherwise: ';
const PODS = '/api/v1/namespaces/consul/pods';
const MINUTE = 60_000;

interface PodSpec {
  containers: { name: string; image?: string; command?: string[] }[];
}
interface Raw extends KubernetesObject {
  spec: PodSpec;
  status: object;
}
type Template = { metadata: { labels: Record<string, string> }; spec: PodSpec };

const rendered = (change: Partial<Config> = {}) => render(config({ clientReplicas: 2, ...change }));
const isWorkload = ({ kind }: KubernetesObject) => kind === 'StatefulSet' || kind === 'DaemonSet';
const templateOf = ({ spec }: KubernetesObject) => (spec as { template: Template }).template;

/** As a dry run would have it: the workloads of `to` over those of `from`, all of whose pods are ready. */
function planned(
  from: readonly KubernetesObject[],
  to: readonly KubernetesObject[],
  change: { status?: object; step?: Partial<PlannedObject> } = {},
): PlannedObject[] {
  return to.filter(isWorkload).map((desired): PlannedObject => {
    const found = from.find(
      ({ kind, metadata }) => kind === desired.kind && metadata.name === desired.metadata.name,
    );
    const isServers = desired.metadata.name === SERVERS;
    const ready =
      desired.kind === 'DaemonSet'
        ? { desiredNumberScheduled: 2, numberReady: 2, updatedNumberScheduled: 2 }
        : { readyReplicas: found && podsOf(found), currentRevision: 'a', updateRevision: 'a' };
    const status = { ...ready, ...(!isServers && change.status) };
    const action = JSON.stringify(found) === JSON.stringify(desired) ? 'none' : 'change';
    const rest = { predicted: found ? { ...desired, status } : desired, force: false, unverified: false };
    return {
      ...{ desired, action, ...rest, ...(found && { live: { ...found, status } }) },
      ...(!isServers && change.step),
    };
  });
}

/** The pods of these workloads, as their template makes them, and as `change` does after that. */
function podsFor(objects: readonly PlannedObject[], change: (pod: Raw) => void = () => undefined): Raw[] {
  return objects.flatMap(({ live }) => {
    if (!live) return [];
    const { metadata, spec } = structuredClone(templateOf(live));
    return Array.from({ length: podsOf(live) }, (_, ordinal): Raw => {
      const name = `${live.metadata.name}-${ordinal}`;
      const running = { startedAt: new Date(Date.now() - 60 * MINUTE).toISOString() };
      const containerStatuses = [{ name: 'consul', restartCount: 0, state: { running } }];
      const pod: Raw = {
        ...{ apiVersion: 'v1', kind: 'Pod' },
        metadata: {
          ...{ name, namespace: 'consul', uid: `uid-${name}` },
          labels: { ...metadata.labels, 'controller-revision-hash': 'a' },
        },
        ...{ spec: structuredClone(spec), status: { phase: 'Running', containerStatuses } },
      };
      change(pod);
      return pod;
    });
  });
}

/** Decides upon the objects, over a real connection to an API server that holds these pods. */
async function decide(
  objects: PlannedObject[],
  {
    pods = podsFor(objects),
    denied = [],
    refused = {},
  }: { pods?: Raw[]; denied?: string[]; refused?: Record<string, number> } = {},
) {
  const { run, lines } = startRun({ clientReplicas: 2 });
  const api = await startFakeApi(
    ({ method, path }, response) => {
      const code = refused[`${method} ${path.replace(`${PODS}/`, '')}`];
      if (code !== undefined) status(response, code, { reason: 'Refused', message: 'a policy says no' });
      return code !== undefined;
    },
    { denied },
  );
  api.put(...pods);
  const before = api.server.calls.length;
  const plan = await withImagesInPods(run, api.cluster, { objects, warnings: ['kept'] });
  const calls = api.server.calls.slice(before);
  const dryRuns = calls.filter(({ method }) => method === 'PATCH');
  const images = Object.fromEntries(
    plan.objects.map(({ desired, imageInPods }) => [desired.metadata.name, imageInPods]),
  );
  const changes = changePlan(plan.objects, 'consul-deploy').changes;
  const of = (name: string) => changes.find((one) => one.name === name);
  return { plan, images, of, calls, dryRuns, lines, writes: api.writes };
}

const [FROM, TO] = [rendered({ image: OLD }), rendered({ image: NEW })];
const bodyOf = ({ body }: Call) => JSON.parse(body) as unknown;

describe('the image changes in pods', () => {
  test('where nothing else of them changes, and the plan says so', async () => {
    const { plan, images, of } = await decide(planned(FROM, TO));
    expect(images).toEqual({ [SERVERS]: NEW, [CLIENTS]: NEW });
    for (const name of [SERVERS, CLIENTS]) {
      const change = of(name);
      expect(change).toMatchObject({
        consequence: 'restarts',
        notes: ['its agents start again with the new image in their pods; no pod is replaced for it'],
      });
      expect(change?.podCount).toBeUndefined();
    }
    expect(plan.warnings).toEqual(['kept']);
  });

  test('after a dry run at one of them, which changes nothing', async () => {
    const { dryRuns, writes } = await decide(planned(FROM, TO));
    const containers = [{ name: 'consul', image: NEW }];
    expect(dryRuns.map((call) => [call.path, bodyOf(call)])).toEqual(
      [SERVERS, CLIENTS].map((name) => [
        `${PODS}/${name}-0`,
        { metadata: { uid: `uid-${name}-0` }, spec: { containers } },
      ]),
    );
    for (const { query, headers } of dryRuns) {
      expect(Object.fromEntries(query)).toEqual({ fieldManager: 'consul-deploy-image', dryRun: 'All' });
      expect(headers['content-type']).toBe('application/strategic-merge-patch+json');
    }
    expect(writes()).toEqual([]);
  });

  test.each<[string, number, number]>([
    ['started again once, just now', 1, 0],
    ['started again often, long ago', 9, 11],
  ])('of a container that was %s', async (_, restarts, minutes) => {
    const objects = planned(FROM, TO);
    const { images } = await decide(objects, { pods: podsFor(objects, started(restarts, minutes)) });
    expect(images).toEqual({ [SERVERS]: NEW, [CLIENTS]: NEW });
  });

  test('of one role, where only that one can', async () => {
    const { images, of } = await decide(planned(FROM, TO, { status: { readyReplicas: 1 } }));
    expect(images).toEqual({ [SERVERS]: NEW, [CLIENTS]: undefined });
    expect(of(CLIENTS)?.consequence).toBe('rolls-pods');
  });
});

/** So often, and so many minutes ago for the last time, if it is the last of the clients. */
function started(restartCount: number, minutes: number): (pod: Raw) => void {
  const running = { startedAt: new Date(Date.now() - minutes * MINUTE).toISOString() };
  return (pod) => {
    if (pod.metadata.name !== 'consul-client-1') return;
    pod.status = { ...pod.status, containerStatuses: [{ name: 'consul', restartCount, state: { running } }] };
  };
}

type Given = NonNullable<Parameters<typeof decide>[1]> & { change?: (pod: Raw) => void };

const changed = (change: (container: PodSpec['containers'][number]) => void) => (pod: Raw) => {
  if (pod.metadata.name === 'consul-client-1') pod.spec.containers.forEach(change);
};

describe('pods are replaced, and plan and log say why', () => {
  const webhook = 'somebody else has changed consul-client-1, such as a webhook';
  const unready = 'not all of them are ready with their present template';
  test.each<[string, string, object, Given]>([
    ['one is not ready', unready, { status: { readyReplicas: 1 } }, {}],
    ['one has the template before', unready, { status: { updateRevision: 'b' } }, {}],
    [
      'a webhook has changed the image of one',
      webhook,
      {},
      { change: changed((one) => (one.image = 'mirror/consul')) },
    ],
    [
      'a webhook has changed the command of one',
      webhook,
      {},
      { change: changed((one) => (one.command = ['/wrap'])) },
    ],
    [
      'a container was started again just before',
      'the container of consul-client-1 has been started again 2 times, the last time within ten minutes, and its kubelet would make it wait',
      {},
      { change: started(2, 9) },
    ],
    ['the pods may not be listed', 'its pods may not be listed', {}, { refused: { [`GET ${PODS}`]: 403 } }],
    ...[403, 422].map((code): [string, string, object, Given] => [
      `the API server refuses the dry run with ${code}`,
      'the API server would not change consul-client-0: a policy says no',
      {},
      { refused: { 'PATCH consul-client-0': code } },
    ]),
  ])('where %s', async (_, why, of, { change, ...given }) => {
    const objects = planned(FROM, TO, of);
    const { images, lines, ...made } = await decide(objects, { ...given, pods: podsFor(objects, change) });
    expect(images[CLIENTS]).toBeUndefined();
    expect(made.of(CLIENTS)).toMatchObject({ consequence: 'rolls-pods', podCount: 2 });
    expect(made.of(CLIENTS)?.notes).toContain(`${INSTEAD}${why}`);
    expect(lines.join('\n')).toContain(`${CLIENTS}: ${INSTEAD}${why}`);
    expect(made.writes()).toEqual([]);
  });

  test('without the permission, and no pod is looked at', async () => {
    const { images, of, calls } = await decide(planned(FROM, TO), { denied: ['patch pods', 'create pods'] });
    expect(images).toEqual({ [SERVERS]: undefined, [CLIENTS]: undefined });
    for (const name of [SERVERS, CLIENTS])
      expect(of(name)?.notes).toContain(`${INSTEAD}it is not allowed to create pods/exec, patch pods`);
    expect(calls.filter(({ path }) => path.startsWith(PODS))).toEqual([]);
  });

  test('where their first process is not the start script', async () => {
    const path = '/spec/template/spec/containers/0/command';
    const operations = [{ op: 'replace', path, value: ['consul'] }];
    const patches = [{ target: { kind: 'StatefulSet', name: CLIENTS }, operations } as never];
    const [from, to] = [OLD, NEW].map((image) => rendered({ image, patches })) as [typeof FROM, typeof TO];
    const { images, of } = await decide(planned(from, to));
    expect(images).toEqual({ [SERVERS]: NEW, [CLIENTS]: undefined });
    expect(of(CLIENTS)?.notes).toContain(
      `${INSTEAD}their first process is not the start script of this action`,
    );
  });
});

describe('nobody asks, and the plan says nothing of it', () => {
  const onDelete = patched({ spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: null } } });
  const partition = patched({ spec: { updateStrategy: { rollingUpdate: { partition: 1 } } } });
  const setting: Partial<Config> = {
    clientConfig: { format: 'json', text: '{"session_ttl_min": "12s"}' },
  };
  test.each<[string, Partial<Config>, Partial<Config>, Partial<PlannedObject>?]>([
    ['the clients are a DaemonSet', { clients: 'daemonset' }, { clients: 'daemonset' }],
    ['somebody else is to replace them', onDelete, onDelete],
    ['somebody else is to replace them from now on', {}, onDelete],
    ['somebody else was to replace them until now', onDelete, {}],
    ['a partition keeps some of them back', partition, partition],
    ['a partition is to keep some of them back', {}, partition],
    ['a partition has kept some of them back', partition, {}],
    ['there are to be more', {}, { clientReplicas: 3 }],
    ['there are to be fewer', {}, { clientReplicas: 1 }],
    ['there are none', { clientReplicas: 0 }, { clientReplicas: 0 }],
    ['a setting changes, too', {}, setting],
    ['they are taken over', {}, {}, { adopting: { namespaces: [] } as never }],
    ['they are recreated', {}, {}, { action: 'recreate' }],
  ])('where %s', async (_, before, after, step = {}) => {
    const [from, to] = [rendered({ image: OLD, ...before }), rendered({ image: NEW, ...after })];
    // The servers stay as they are, so that all that is asked is about the clients.
    const objects = planned(from, to, { step }).filter(({ desired }) => desired.metadata.name === CLIENTS);
    const { images, of, calls } = await decide(objects);
    expect(images).toEqual({ [CLIENTS]: undefined });
    expect(of(CLIENTS)?.notes.join()).not.toContain(INSTEAD);
    expect(calls).toEqual([]);
  });

  test('where the image stays as it is', async () => {
    const { images, calls } = await decide(planned(TO, TO));
    expect(images).toEqual({ [SERVERS]: undefined, [CLIENTS]: undefined });
    expect(calls).toEqual([]);
  });
});

function patched(merge: Record<string, unknown>): Partial<Config> {
  return { patches: [{ target: { kind: 'StatefulSet', name: CLIENTS }, merge } as never] };
}
