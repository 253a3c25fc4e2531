import { createServer } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { kubectl, kubectlApply, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { kubeconfig, withToken } from '../kubernetes/kubeconfig.ts';
import { deploy } from '../run/action.ts';
import { expectRefused, failureOf, newNamespace, removeNamespaces, SHORT } from './refusal.ts';

afterAll(removeNamespaces);

describe('the wrong cluster, or none', () => {
  it('is refused where expect-cluster does not match', async () => {
    const namespace = newNamespace('wrong-cluster');
    const outcome = await deploy({ ...SHORT, namespace, 'expect-cluster': '*production*' });

    await expectRefused(outcome, 'wrong-cluster', namespace);
    const server = (await kubectl('config', 'view', '--minify', '-o', 'jsonpath={..server}')).trim();
    expect(failureOf(outcome).what).toContain(`"*production*" matches neither the API server ${server}`);
  });

  it('is not guessed without a kubeconfig', async () => {
    const namespace = newNamespace('no-kubeconfig');
    const outcome = await deploy({ ...SHORT, namespace }, { KUBECONFIG: '' });

    await expectRefused(outcome, 'kubeconfig', namespace);
    expect(failureOf(outcome).what).toContain('neither the input nor KUBECONFIG is set');
  });

  it('is named where the kubeconfig is not there', async () => {
    const namespace = newNamespace('missing-kubeconfig');
    const path = '/nonexistent/kubeconfig.yaml';
    const outcome = await deploy({ ...SHORT, namespace, kubeconfig: path });

    await expectRefused(outcome, 'kubeconfig', namespace);
    expect(failureOf(outcome)).toMatchObject({ what: 'the kubeconfig does not exist', where: path });
  });

  it('is found unreachable long before the deadline', async () => {
    const namespace = newNamespace('unreachable');
    const server = `https://127.0.0.1:${await closedPort()}`;
    const outcome = await deploy({
      ...SHORT,
      namespace,
      kubeconfig: await kubeconfig(({ clusters }) => {
        for (const { cluster } of clusters) cluster.server = server;
      }),
    });

    await expectRefused(outcome, 'unreachable', namespace);
    expect(failureOf(outcome).where).toBe(server);
    expect(failureOf(outcome).hint).toContain('Nothing listens there');
  });

  async function closedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    return address.port;
  }

  it('is told when it does not accept the token, which nobody gets to see', async () => {
    const namespace = newNamespace('unauthorized');
    const token = 'nobody-knows-this-token';
    const outcome = await deploy({ ...SHORT, namespace, kubeconfig: await kubeconfig(withToken(token)) });

    await expectRefused(outcome, 'unauthorized', namespace);
    expect(failureOf(outcome).what).toContain('does not accept the credentials');
    expect(outcome.log + outcome.summary + JSON.stringify(outcome.report)).not.toContain(token);
  });
});

describe('a cluster that cannot take it', () => {
  it('has no such namespace, and none may be created', async () => {
    const namespace = newNamespace('no-namespace');
    const outcome = await deploy({ ...SHORT, namespace, 'create-namespace': 'false' });

    await expectRefused(outcome, 'unfit-cluster', namespace);
    expect(failureOf(outcome).what).toBe(`the namespace ${namespace} does not exist`);
    expect(failureOf(outcome).hint).toContain('create-namespace: true');
  });

  it('has no such StorageClass', async () => {
    const namespace = newNamespace('storage-class');
    const outcome = await deploy({ ...SHORT, namespace, 'storage-class': 'nonesuch' });

    await expectRefused(outcome, 'unfit-cluster', namespace);
    expect(failureOf(outcome).what).toContain('there is no StorageClass nonesuch; there are ');
    const classes = (await kubectl('get', 'storageclasses', '-o', 'name')).trim().split('\n');
    for (const one of classes) expect(failureOf(outcome).what).toContain(one.split('/')[1] ?? '');
  });

  describe('because the namespace is being removed', () => {
    const namespace = namespaceName('terminating');
    afterEach(async () => {
      const release = [
        'patch',
        'configmap',
        'held',
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":null}}',
      ];
      await kubectl('-n', namespace, ...release);
    });

    it('is told so', async () => {
      await kubectl('create', 'namespace', namespace);
      const metadata = { name: 'held', namespace, finalizers: ['e2e.consul-deploy/held'] };
      await kubectlApply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata }));
      await removeNamespace(namespace);
      const outcome = await deploy({ ...SHORT, namespace });

      expect(outcome.code, outcome.log).toBe(1);
      expect(outcome.outputs).toMatchObject({ 'failure-reason': 'unfit-cluster', changed: 'false' });
      expect(failureOf(outcome).what).toBe(`the namespace ${namespace} is being removed`);
      expect(failureOf(outcome).hint).toContain('Wait until it is gone');
    });
  });
});
