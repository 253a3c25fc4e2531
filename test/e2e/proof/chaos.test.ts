import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consul, keys, members, raftViews } from '../consul/consul.ts';
import { put } from '../consul/registration.ts';
import {
  eventually,
  kubectl,
  kubectlApply,
  namespaceName,
  pods,
  removeNamespace,
} from '../kubernetes/cluster.ts';
import { applyRbac, kubeconfigOf, type RbacObject, rbac, removeRbac } from '../permissions/rbac.ts';
import { check, deploy } from '../run/action.ts';
import { address, expectTold, SMALL } from '../run/scenario.ts';

const RBAC = 'docs/rbac-verify.yaml';
const ALL = 'delete-server, delete-leader, delete-client';

/** Pod -> what tells that it is another, or has restarted. */
async function identities(namespace: string): Promise<Record<string, string>> {
  const found = await pods(namespace);
  return Object.fromEntries(
    found.map(({ metadata, status }) => [
      metadata.name,
      `${metadata.uid} ${status.containerStatuses?.[0]?.restartCount}`,
    ]),
  );
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys({ ...before, ...after })
    .filter((name) => before[name] !== after[name])
    .sort();
}

async function catalogued(namespace: string, service: string): Promise<string[]> {
  const ip = await address(namespace, 'consul-server-0');
  const found = await consul<{ Node: string }[]>(ip, `/v1/catalog/service/${service}`);
  return found.map(({ Node }) => Node);
}

describe('a cluster that is proven and then broken on purpose', () => {
  const namespace = namespaceName('chaos');
  const objects = rbac(RBAC, namespace);
  let kubeconfig: string;
  const verify = (inputs: Record<string, string>) =>
    deploy({ mode: 'verify', namespace, timeout: '8m', 'stable-for': '2s', kubeconfig, ...inputs });
  const register = async (client: string, ID: string) =>
    put(await address(namespace, client), '/v1/agent/service/register', { ID, Name: ID });

  beforeAll(async () => {
    // With volumes, as clusters have them: then a server that is replaced is the same one at another address.
    const { 'server-storage': _, ...small } = SMALL;
    const deployed = await deploy({ ...small, namespace });
    expect(deployed.code, deployed.log).toBe(0);
    await applyRbac(objects);
    const token = await kubectl('-n', namespace, 'create', 'token', 'consul-verify');
    kubeconfig = await kubeconfigOf(namespace, token.trim());
  });
  afterAll(async () => {
    await removeRbac(objects);
    await removeNamespace(namespace);
  });

  it('is refused without the permission to delete pods, before anything is touched', async () => {
    const before = await identities(namespace);
    const outcome = await verify({ chaos: ALL });
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({ 'failure-reason': 'forbidden', changed: 'false' });
    expect(outcome.report?.failure?.details).toEqual([`delete pods in ${namespace}`]);
    expect(outcome.report?.left).toBe('Nothing was changed.');
    expect(await identities(namespace)).toEqual(before);
  });

  describe('with that permission', () => {
    beforeAll(() => applyRbac([withPodDelete()]));

    it('heals by itself: a server, the leader and a client come back, and nothing is lost', async () => {
      // The client that would be deleted first, were it not for this.
      await register('consul-client-1', 'kept');
      await put(await address(namespace, 'consul-server-0'), '/v1/kv/written/before', 'kept');
      await eventually('the service is in the catalog', 10_000, async () =>
        (await catalogued(namespace, 'kept')).length === 1 ? true : undefined,
      );
      const before = await identities(namespace);

      const outcome = await verify({ chaos: ALL });
      expect(outcome.code, outcome.log).toBe(0);
      expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'false', voters: '3' });
      // Which server leads may change at any time on a loaded machine, so the run says whom it met.
      const victimOf = (fault: string) => check(outcome, `heals-${fault}`).observed.split(' ')[0] ?? '';
      const victims = {
        'delete-server': victimOf('delete-server'),
        'delete-leader': victimOf('delete-leader'),
        'delete-client': 'consul-client-0',
      };
      expect(victims['delete-server']).toMatch(/^consul-server-\d$/);
      expect(victims['delete-leader']).toMatch(/^consul-server-\d$/);
      for (const [fault, victim] of Object.entries(victims)) {
        expect(check(outcome, `heals-${fault}`)).toMatchObject({
          status: 'passed',
          group: 'chaos',
          expected: expect.stringContaining('all 5 agents and the quorum back'),
          observed: expect.stringMatching(new RegExp(`^${victim} back after .* by itself; `)),
        });
        expect(outcome.report?.phases).toContainEqual(
          expect.objectContaining({ name: fault, status: 'passed' }),
        );
      }
      expect(check(outcome, 'heals-delete-leader').observed).toContain('no leader for ');
      expect(check(outcome, 'heals-delete-client').observed).toContain('the leader stayed');
      expect(outcome.report?.left).toContain('were deleted on purpose, and healed by themselves');

      // Exactly those, and no container of any pod has restarted.
      const after = await identities(namespace);
      expect(changed(before, after)).toEqual([...new Set(Object.values(victims))].sort());
      for (const name of Object.keys(after)) expect(after[name]).toMatch(/ 0$/);
      const views = await raftViews(namespace);
      expect(views).toHaveLength(3);
      for (const { servers } of views) expect(servers.filter(({ Voter }) => Voter)).toHaveLength(3);
      const ip = await address(namespace, 'consul-server-0');
      const alive = (await members(ip)).filter(({ Status }) => Status === 1);
      expect(alive).toHaveLength(5);
      expect(await keys(ip, '')).toEqual(['written/before']);
      expect(await catalogued(namespace, 'kept')).toEqual(['consul-client-1']);
      // The next run knows them, and takes them for no surprise.
      expect(check(await verify({}), 'restarts').status).toBe('passed');
    });

    it('deletes no client where each holds registrations, and says so', async () => {
      await register('consul-client-0', 'kept-too');
      const before = await identities(namespace);
      const outcome = await verify({ chaos: 'delete-client' });
      expect(outcome.code, outcome.log).toBe(0);
      expect(check(outcome, 'heals-delete-client')).toMatchObject({
        status: 'skipped',
        observed: 'not made: each of 2 clients holds registrations, which would be lost with its pod',
      });
      expect(outcome.report?.warnings.join('\n')).toContain('this fault was not made');
      expect(await identities(namespace)).toEqual(before);
    });

    it('is red where it cannot heal, with the cause', async () => {
      // Stands in nobody's way as long as the pods are there.
      await kubectlApply(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'ResourceQuota',
          metadata: { name: 'none', namespace },
          spec: { hard: { pods: '0' } },
        }),
      );
      const outcome = await verify({ chaos: ALL });
      expectTold(outcome, 'not-healed', {
        what: /^consul-server-\d was deleted, and the cluster did not heal: .*exceeded quota/,
        where: 'StatefulSet/consul-server',
        hint: /quota/i,
      });
      expect(outcome.report?.failure?.details[0]).toBe('cause: pod-refused');
      expect(check(outcome, 'smoke-kv').status).toBe('passed');
      expect(check(outcome, 'heals-delete-server').status).toBe('failed');
      expect(outcome.report?.left).toMatch(/^consul-server-\d was deleted on purpose/);
      // It breaks nothing more.
      expect(await pods(namespace)).toHaveLength(4);
      expect(await keys(await address(namespace, 'consul-server-0'), 'consul-deploy/')).toEqual([]);
    });
  });

  /** The Role with the rule that its file has as a comment. */
  function withPodDelete(): RbacObject {
    const rule = /# {3}- apiGroups: \[""\]\n *# {5}resources: \[pods\]\n *# {5}verbs: \[delete\]\n/;
    expect(readFileSync(RBAC, 'utf8')).toMatch(rule);
    const role = objects.find(({ kind }) => kind === 'Role');
    if (!role) throw new Error(`no Role in ${RBAC}`);
    return {
      ...role,
      rules: [...(role.rules ?? []), { apiGroups: [''], resources: ['pods'], verbs: ['delete'] }],
    };
  }
});
