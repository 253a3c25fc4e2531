import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import type { PlannedObject } from '../../../src/kubernetes/apply/plan.ts';
import { render } from '../../../src/manifests/render.ts';
import { checkOutsideAgents, movesToServices } from '../../../src/steps/preflight/outside-agents.ts';
import { clientOf, type FakeAnswer, fakeConsul } from '../../consul/fake-consul.ts';
import { answering, healthyAnswers } from '../../consul/server-answers.ts';
import { pod } from '../../rollout/fixture.ts';
import { config, startRun } from '../../session/fixture.ts';

const member = (Name: string, Addr: string, Status = 1) => ({
  Name,
  Addr,
  Status,
  Tags: { build: '1.22.7:0a1b2c3d', dc: 'dc1', role: 'node' },
});

/** Three servers and a client over real HTTP, whose members are theirs and these. */
async function checked(others: object[], instead?: FakeAnswer): Promise<Failure | undefined> {
  const fake = await fakeConsul((request) => {
    const answers = healthyAnswers('consul-server-0');
    const path = '/v1/agent/members';
    const members = [...((answers[path]?.body ?? []) as object[]), ...others];
    return answering({ ...answers, [path]: instead ?? { body: members } })(request);
  });
  const { run } = startRun();
  const servers = [0, 1, 2].map((at) => pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` }));
  const pods = [
    ...servers,
    pod('consul-client-0', { ip: '10.0.1.1' }),
    pod('consul-client-1', { ip: '10.0.1.2' }),
  ];
  const workloads = {
    untilSynced: async () => undefined,
    pods: () => servers,
    observation: { pods: () => pods },
  };
  return checkOutsideAgents(
    run,
    { workloads: workloads as never, agents: { client: ({ name }) => clientOf(fake, name) } },
    0,
  ).then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  );
}

describe('agents that could not reach servers at the addresses of Services', () => {
  test('are none where every member is a pod of ours, whatever its agent is called', async () => {
    expect(await checked([])).toBeUndefined();
    expect(await checked([member('node-7', '10.0.1.2')])).toBeUndefined();
  });

  test('are named before anything is changed', async () => {
    expect(await checked([member('vm-2', '192.0.2.2'), member('vm-1', '192.0.2.1')])).toMatchObject({
      reason: 'unfit-cluster',
      what: expect.stringMatching(/^2 agents are members and no pods of this deployment/),
      hint: expect.stringContaining('Keep `server-addresses: pod`'),
      details: ['vm-1 (192.0.2.1)', 'vm-2 (192.0.2.2)'],
    });
  });

  test('are told apart where there is only one', async () => {
    expect(await checked([member('vm-1', '192.0.2.1')])).toMatchObject({
      what: expect.stringMatching(/^1 agent is a member and no pod of this deployment/),
    });
  });

  test('do not count where they have failed or left', async () => {
    expect(await checked([member('gone', '192.0.2.1', 3), member('down', '192.0.2.2', 4)])).toBeUndefined();
  });

  test.each<[string, FakeAnswer]>([
    ['ACLs hide members', { body: [], headers: { 'X-Consul-Results-Filtered-By-ACLs': 'true' } }],
    ['no server answers', { status: 500, text: 'no' }],
  ])('are not known where %s, and that is refused', async (_, instead) => {
    expect(await checked([], instead)).toMatchObject({
      reason: 'unfit-cluster',
      what: expect.stringContaining('is not known'),
    });
  });
});

describe('agents outside are looked for', () => {
  const servers = (serverAddresses: 'pod' | 'service') => {
    const found = render(config({ serverAddresses })).find(({ kind }) => kind === 'StatefulSet');
    return found ?? expect.fail('no servers');
  };
  const planned = (live: 'pod' | 'service' | undefined, desired: 'pod' | 'service') =>
    ({
      action: 'change',
      desired: servers(desired),
      predicted: servers(desired),
      ...(live && { live: servers(live) }),
    }) as PlannedObject;

  test.each([
    ['of servers that get the addresses of Services', planned('pod', 'service'), true],
    ['not on the way back', planned('service', 'pod'), false],
    ['not of those that have them', planned('service', 'service'), false],
    ['not of a new cluster', planned(undefined, 'service'), false],
  ])('%s', (_, one, expected) => {
    const { run } = startRun();
    expect(movesToServices(run, [one])).toBe(expected);
  });
});
