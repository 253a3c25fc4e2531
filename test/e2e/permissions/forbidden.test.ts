import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, SHORT } from '../inputs/refusal.ts';
import { kubectl, kubectlApply, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { kubeconfig, withToken } from '../kubernetes/kubeconfig.ts';
import { deploy, type Outcome } from '../run/action.ts';

/** The smallest that works, for what is not about the cluster itself. */
const TINY = { servers: '1', clients: 'none', 'server-storage': 'ephemeral', 'stable-for': '1s' };

/** Names of all objects that a run could have left, the lock among them. */
async function everything(namespace: string): Promise<string[]> {
  const kinds =
    'configmaps,services,serviceaccounts,poddisruptionbudgets,statefulsets,daemonsets,pods,leases';
  return (await kubectl('-n', namespace, 'get', kinds, '-o', 'name')).trim().split('\n');
}

describe('a user without permissions', () => {
  const namespace = namespaceName('forbidden');
  const user = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'runner', namespace } };
  const inputs = { ...SHORT, ...TINY, namespace, 'create-namespace': 'false' };
  let access: string;
  beforeAll(async () => {
    await kubectl('create', 'namespace', namespace);
    await kubectlApply(JSON.stringify(user));
    const token = (await kubectl('-n', namespace, 'create', 'token', 'runner')).trim();
    access = await kubeconfig(withToken(token));
  });

  afterAll(() => removeNamespace(namespace));

  async function expectForbidden(): Promise<Outcome> {
    const before = await everything(namespace);
    const outcome = await deploy({ ...inputs, kubeconfig: access });
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({
      result: 'failure',
      'failure-reason': 'forbidden',
      changed: 'false',
    });
    expect(outcome.report?.left).toBe('Nothing was changed.');
    expect(await everything(namespace)).toEqual(before);
    return outcome;
  }

  it('is told everything that is missing, with a Role to paste that is enough', async () => {
    const outcome = await expectForbidden();
    const { details, hint } = failureOf(outcome);
    for (const permission of [
      `get namespaces in ${namespace}`,
      `patch statefulsets (apps) in ${namespace}`,
      `watch pods in ${namespace}`,
      `create pods/portforward in ${namespace}`,
      `update leases (coordination.k8s.io) in ${namespace}`,
    ]) {
      expect(details).toContain(permission);
    }
    const roles = hint?.slice(hint.indexOf('apiVersion:')) ?? '';
    await kubectlApply(roles, '--validate=strict');
    await kubectl(
      ...['-n', namespace, 'create', 'rolebinding', 'runner', '--role=consul-deploy'],
      `--serviceaccount=${namespace}:runner`,
    );
    const again = await deploy({ ...inputs, timeout: '60s', kubeconfig: access });
    expect(again.code, again.log).toBe(0);
    expect(again.outputs).toMatchObject({ result: 'success', voters: '1' });
  });
});
