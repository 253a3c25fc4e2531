import { describe, expect, test } from 'vitest';
import { changePlan } from '../../../src/change/plan.ts';
import type { AgentConfigFragment, Config } from '../../../src/config/config.ts';
import type { Plan, PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { render } from '../../../src/manifests/render.ts';
import { digestOf, withKeptPods } from '../../../src/steps/apply/kept-pods.ts';
import { restarts } from '../../../src/steps/restart/restarts.ts';
import { config, startRun } from '../../session/fixture.ts';

const setting = (seconds: number): Partial<Config> => ({
  clientConfig: { format: 'json', text: `{"session_ttl_min": "${seconds}s"}` },
});
const READY = { readyReplicas: 10, currentRevision: 'a', updateRevision: 'a' };
const CLIENTS = 'consul-client';

/** As a dry run would have it: all of `to` over all of `from`. */
function planned(
  from: readonly KubernetesObject[],
  to: readonly KubernetesObject[],
  { status = READY, templateOf = from }: { status?: object; templateOf?: readonly KubernetesObject[] } = {},
): PlannedObject[] {
  return to.map((desired): PlannedObject => {
    const same = ({ kind, metadata }: KubernetesObject) =>
      kind === desired.kind && metadata.name === desired.metadata.name;
    const isWorkload = desired.kind === 'StatefulSet';
    const found = (isWorkload ? templateOf : from).find(same);
    if (!found) return { desired, predicted: desired, action: 'create', force: false, unverified: false };
    const live = { ...found, ...(desired.metadata.name === CLIENTS && { status }) };
    const action =
      JSON.stringify({ ...found, status: undefined }) === JSON.stringify(desired) ? 'none' : 'change';
    return { desired, live, predicted: desired, action, force: false, unverified: false };
  });
}

/** Decides upon the objects, with these permissions, and says what became of the clients' workload. */
async function decide(objects: PlannedObject[], { denied = false } = {}) {
  const { run, lines } = startRun();
  const asked: unknown[] = [];
  const transport = {
    request: async ({ body }: { body?: unknown }) => {
      asked.push(body);
      return { status: 201, headers: {}, body: { status: { allowed: !denied } } };
    },
  };
  const again: KubernetesObject[] = [];
  const plan = await withKeptPods(
    run,
    { transport: transport as never },
    { objects, warnings: [] },
    async (some) => {
      again.push(...some);
      const live = objects.map((one) => one.live ?? one.desired);
      return { objects: planned(live, some), warnings: [] };
    },
  );
  const workload = plan.objects.find(({ desired }) => isClients(desired));
  return { plan, workload, asked, again, lines, run };
}

const isClients = ({ kind, metadata }: KubernetesObject) =>
  kind === 'StatefulSet' && metadata.name === CLIENTS;
const rendered = (change: Partial<Config> = {}) => render(config(change));
const digestIn = (objects: readonly KubernetesObject[]) => {
  const clients = objects.find(isClients);
  return clients && digestOf(clients);
};

/** What the plan says beside what it says of every change of a workload, with its digest as if nothing were said. */
function notesOf({ objects }: Plan): string[] {
  const [said, silent] = [objects, objects.map((one) => ({ ...one, notes: [] }))].map((steps) =>
    changePlan(steps, 'consul-deploy'),
  );
  expect(said?.digest).toBe(silent?.digest);
  const known = new Set(silent?.changes.flatMap(({ notes }) => notes));
  return (said?.changes ?? []).flatMap(({ notes }) => notes.filter((note) => !known.has(note)));
}
const told = (why: string) =>
  `its pods are replaced, where a restart of the agents in them would do otherwise: ${why}`;

describe('pods stay, and their agents start again', () => {
  test('where only a setting changes that agents read at their start', async () => {
    const [from, to] = [rendered(setting(11)), rendered(setting(12))];
    expect(digestIn(to)).not.toBe(digestIn(from));
    const { plan, workload, run } = await decide(planned(from, to));
    expect(workload?.action).toBe('none');
    expect(notesOf(plan)).toEqual([]);
    expect(digestOf(workload?.desired as KubernetesObject)).toBe(digestIn(from));
    expect(restarts(run, plan.objects, false)).toMatchObject([
      { role: 'client', startMarker: `consul-deploy.start.${digestIn(to)}` },
    ]);
  });

  test('where agents go back to what their pods were made for', async () => {
    const [made, now] = [rendered(setting(11)), rendered(setting(12))];
    const { plan, again, run } = await decide(planned(now, made, { templateOf: made }));
    expect(again).toEqual([]);
    expect(restarts(run, plan.objects, false)).toMatchObject([{ role: 'client' }]);
  });

  test('where they were restarted before and nothing changes: nobody is asked for a permission', async () => {
    const [made, now] = [rendered(setting(11)), rendered(setting(12))];
    const objects = planned(now, now, { templateOf: made, status: { readyReplicas: 9 } });
    const { plan, workload, asked, run } = await decide(objects, { denied: true });
    expect(workload?.action).toBe('none');
    expect(asked).toEqual([]);
    // What they have started with is looked at all the same.
    expect(restarts(run, plan.objects, false)).toMatchObject([{ role: 'client' }]);
  });

  test('in HCL as well', async () => {
    const hcl = (text: string): Partial<Config> => ({ clientConfig: { format: 'hcl', text } });
    const { workload } = await decide(
      planned(rendered(hcl('session_ttl_min = "11s"')), rendered(hcl('session_ttl_min = "12s"'))),
    );
    expect(workload?.action).toBe('none');
  });
});

describe('pods are replaced', () => {
  test('without the permission to run a command in them, and the log says so', async () => {
    const [from, to] = [rendered(setting(11)), rendered(setting(12))];
    const { plan, workload, lines, run } = await decide(planned(from, to), { denied: true });
    expect(workload?.action).toBe('change');
    expect(digestOf(workload?.desired as KubernetesObject)).toBe(digestIn(to));
    expect(lines.join('\n')).toContain('that needs pods/exec and patch pods');
    expect(notesOf(plan)).toEqual([told('it is not allowed to get pods/exec, create pods/exec, patch pods')]);
    expect(restarts(run, plan.objects, false)).toEqual([]);
  });

  test.each([
    ['not all of them are ready', { ...READY, readyReplicas: 9 }],
    ['some have the template of before', { ...READY, updateRevision: 'b' }],
  ])('where %s', async (_, status) => {
    const { plan, workload } = await decide(
      planned(rendered(setting(11)), rendered(setting(12)), { status }),
    );
    expect(workload?.action).toBe('change');
    expect(notesOf(plan)).toEqual([told('not all of them are ready with their present template')]);
  });

  test('where one does not run with a setting that is taken back: its template is made another one', async () => {
    const [made, now] = [rendered(setting(11)), rendered(setting(12))];
    const objects = planned(now, made, { templateOf: made, status: { ...READY, readyReplicas: 9 } });
    const { plan, workload, run } = await decide(objects);
    expect(workload?.action).toBe('change');
    expect(digestOf(workload?.desired as KubernetesObject)).toMatch(/^[0-9a-f]{16}$/);
    expect(digestOf(workload?.desired as KubernetesObject)).not.toBe(digestIn(made));
    expect(notesOf(plan)).toEqual([told('not all of them are ready with their present template')]);
    expect(restarts(run, plan.objects, false)).toEqual([]);
  });

  const secret: AgentConfigFragment = {
    format: 'json',
    text: '{"acl": {"tokens": {"agent": "b1c5bbd2-7e1c-4c1a-9d3a-2f0b6a4c9e11"}}}',
  };
  const command = { spec: { template: { spec: { containers: [{ name: 'consul', command: ['consul'] }] } } } };
  const notOurs = 'their first process is not the start script of this action';
  test.each<[string, Partial<Config>, note?: string]>([
    ['the image changes, too', { image: 'hashicorp/consul:1.22.2' }],
    ['a Secret is part of what changes', { clientConfig: secret }],
    ['the user lets somebody else replace them', patched({ spec: { updateStrategy: { type: 'OnDelete' } } })],
    [
      'the user keeps some back',
      patched({ spec: { updateStrategy: { rollingUpdate: { partition: 2 } } } }),
      'a partition keeps some of them back',
    ],
    ['their first process is not the start script', patched(command), notOurs],
    [
      'that process is not the first of the pod',
      patched({ spec: { template: { spec: { shareProcessNamespace: true } } } }),
      notOurs,
    ],
  ])('where %s', async (_, change, note) => {
    const to = rendered({ ...setting(12), ...change });
    const live = 'patches' in change ? rendered({ ...setting(11), ...change }) : rendered(setting(11));
    const { plan, workload } = await decide(planned(live, to));
    expect(workload?.action).toBe('change');
    expect(digestOf(workload?.desired as KubernetesObject)).toBe(digestIn(to));
    expect(notesOf(plan)).toEqual(note === undefined ? [] : [told(note)]);
  });
});

test('a deploy that was ended has all of them looked at', async () => {
  const same = rendered(setting(11));
  const { plan, run } = await decide(planned(same, same));
  expect(restarts(run, plan.objects, false)).toEqual([]);
  expect(restarts(run, plan.objects, true).map(({ role }) => role)).toEqual(['server', 'client']);
});

function patched(merge: Record<string, unknown>): Partial<Config> {
  return { patches: [{ target: { kind: 'StatefulSet', name: CLIENTS }, merge } as never] };
}
