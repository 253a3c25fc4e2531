import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, SHORT } from '../inputs/refusal.ts';
import {
  eventually,
  kubectl,
  kubectlApply,
  namespaceName,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';

/** The smallest that works, for what is not about the cluster itself. */
const TINY = { servers: '1', clients: 'none', 'server-storage': 'ephemeral', 'stable-for': '1s' };

describe('a field that another manager owns', () => {
  const namespace = namespaceName('conflict');
  const inputs = {
    ...TINY,
    timeout: '60s',
    namespace,
    clients: 'statefulset',
    'client-replicas': '2',
  };
  const replicas = (field: string) =>
    kubectl('-n', namespace, 'get', 'statefulset', 'consul-client', '-o', `jsonpath={${field}}`);

  beforeAll(async () => {
    const first = await deploy(inputs);
    expect(first.code, first.log).toBe(0);
    const metadata = { name: 'consul-client', namespace };
    const other = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { replicas: 3 } };
    await kubectlApply(
      JSON.stringify(other),
      ...['--server-side', '--field-manager=other', '--force-conflicts'],
    );
    await eventually('the third client is ready', 60_000, async () =>
      (await replicas('.status.readyReplicas')) === '3' ? true : undefined,
    );
  });
  afterAll(() => removeNamespace(namespace));

  it('is left to it, and everything else too', async () => {
    const before = await versions(namespace);
    // A change of its own, which must not be written either.
    const outcome = await deploy({ ...inputs, ...SHORT, 'client-config': '{"log_level":"debug"}' });

    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({
      result: 'failure',
      'failure-reason': 'conflict',
      changed: 'false',
    });
    expect(failureOf(outcome).details).toEqual([
      'StatefulSet/consul-client .spec.replicas: owned by "other" (live 3, wanted 2)',
    ]);
    expect(failureOf(outcome).hint).toContain('force-conflicts: StatefulSet/consul-client:.spec.replicas');
    expect(await versions(namespace)).toEqual(before);
  });

  it('is taken over where force-conflicts allows it', async () => {
    const outcome = await deploy({ ...inputs, 'force-conflicts': 'StatefulSet/consul-client:spec.replicas' });

    expect(outcome.code, outcome.log).toBe(0);
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'true', 'clients-ready': '2' });
    expect(outcome.report?.warnings.join('\n')).toContain(
      'StatefulSet/consul-client: fields of other managers are taken over',
    );
    expect(await replicas('.spec.replicas')).toBe('2');
  });
});
