import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { consul } from '../consul/consul.ts';
import { eventually, kubectl, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { everythingIn } from '../ownership/owned.ts';
import { deploy, type Outcome, start } from '../run/action.ts';
import { TINY } from '../run/scenario.ts';

const CLAIM = 'PersistentVolumeClaim/data-consul-server-0';

function succeeded(outcome: Outcome): Outcome {
  expect(outcome.code, outcome.log).toBe(0);
  return outcome;
}

function told({ report }: Outcome, action: string): string[] {
  return (report?.objects ?? [])
    .filter((one) => one.action === action)
    .map(({ kind, name }) => `${kind}/${name}`);
}

async function server(namespace: string): Promise<string> {
  const [pod] = await pods(namespace, 'server');
  return pod?.status.podIP ?? '';
}

/** With the keys of the agents, which stay as long as the data. */
const SECRETS = ['ca', 'client-tls', 'gossip', 'server-tls'].map((one) => `Secret/consul-${one}`);

describe('a cluster that is no longer wanted', () => {
  const namespace = namespaceName('destroy');
  const inputs = { ...TINY, namespace, 'server-storage': '1Gi' };
  const destroy = { ...inputs, mode: 'destroy', confirm: 'consul' };
  const job = {
    GITHUB_REPOSITORY: 'org/repository',
    GITHUB_RUN_ID: '99',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_JOB: 'destroy',
  };
  afterAll(() => removeNamespace(namespace));

  it('is not destroyed by mistake', async () => {
    succeeded(await deploy(inputs));
    const value = { method: 'PUT', body: 'survives' };
    expect(await consul(await server(namespace), '/v1/kv/kept', value)).toBe(true);
    const before = await everythingIn(namespace);
    const outcome = await deploy({ ...destroy, confirm: 'consull' });
    expect(outcome.outputs).toMatchObject({ 'failure-reason': 'invalid-input', changed: 'false' });
    expect(await everythingIn(namespace)).toEqual(before);
  });

  it('killed in its midst, is destroyed by the next run, but for what is not ours and for its data', async () => {
    await kubectl('-n', namespace, 'delete', 'service', 'consul-ui');
    await kubectl('-n', namespace, 'create', 'service', 'clusterip', 'consul-ui', '--tcp=80:80');
    await kubectl('-n', namespace, 'create', 'configmap', 'neighbour', '--from-literal=a=b');
    const killed = start(destroy, job);
    await eventually('the workloads to go', 60_000, async () =>
      killed.log().includes('removed StatefulSet/consul-client') ? true : undefined,
    );
    const [main] = readFileSync(`/proc/${killed.process.pid}/task/${killed.process.pid}/children`, 'utf8')
      .trim()
      .split(' ');
    process.kill(Number(main), 'SIGKILL');
    expect((await killed.outcome).outputs.result).toBeUndefined();

    const outcome = succeeded(await deploy(destroy, job));
    const left = await everythingIn(namespace);
    expect(Object.keys(left).sort()).toEqual(['ConfigMap/neighbour', CLAIM, ...SECRETS, 'Service/consul-ui']);
    expect(told(outcome, 'kept').sort()).toEqual([CLAIM, ...SECRETS, 'Service/consul-ui']);
    expect(told(outcome, 'removed')).toContain('ConfigMap/consul-server-config');
    expect(outcome.report?.left).toContain(`kubectl -n ${namespace} delete pvc data-consul-server-0`);
    expect(outcome.report?.left).toContain(`kubectl -n ${namespace} delete secret `);
    expect(outcome.summary).toContain('Consul is removed');
    expect(outcome.outputs.changed).toBe('true');
  });

  it('has nothing left for a second run', async () => {
    const before = await everythingIn(namespace);
    const outcome = succeeded(await deploy(destroy));
    expect(outcome.outputs).toMatchObject({ result: 'success', changed: 'false' });
    expect(outcome.report?.left).toContain('There is nothing');
    expect(outcome.summary).toContain('There was nothing to remove');
    expect(await everythingIn(namespace)).toEqual(before);
  });

  it('comes back with its data', async () => {
    await kubectl('-n', namespace, 'delete', 'service', 'consul-ui');
    succeeded(await deploy(inputs));
    const ip = await server(namespace);
    const [found] = await consul<{ Value: string }[]>(ip, '/v1/kv/kept');
    expect(Buffer.from(found?.Value ?? '', 'base64').toString()).toBe('survives');
  });

  it('goes with its data, and keeps a namespace that holds something else', async () => {
    const outcome = succeeded(await deploy({ ...destroy, 'destroy-data': 'true' }));
    expect(Object.keys(await everythingIn(namespace))).toEqual(['ConfigMap/neighbour']);
    expect(told(outcome, 'removed')).toContain(CLAIM);
    expect(told(outcome, 'kept')).toEqual([]);
    expect(outcome.log).toContain(`the namespace ${namespace} stays: it holds ConfigMap neighbour`);
  });
});

describe('a namespace that the action has made', () => {
  const namespace = namespaceName('destroy-all');
  afterAll(() => removeNamespace(namespace));

  it('goes with the data when nothing else is in it', async () => {
    const inputs = { ...TINY, namespace, clients: 'none', 'client-replicas': '10' };
    succeeded(await deploy(inputs));
    const destroy = { ...inputs, mode: 'destroy', confirm: 'consul', 'destroy-data': 'true' };
    const outcome = succeeded(await deploy(destroy));
    expect(told(outcome, 'removed')).toContain(`Namespace/${namespace}`);
    expect(await kubectl('get', 'namespace', namespace, '--ignore-not-found')).toBe('');
    const again = succeeded(await deploy(destroy));
    expect(again.report?.left).toContain('There is nothing');
  });
});
