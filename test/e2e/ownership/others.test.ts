import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  kubectl,
  kubectlApply,
  kubectlJson,
  namespaceName,
  removeNamespace,
  versions,
} from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { TINY } from '../run/scenario.ts';
import { everythingIn, succeeded } from './owned.ts';

describe('what others own', () => {
  const namespace = namespaceName('theirs');
  const inputs = { ...TINY, namespace };
  beforeAll(() => kubectl('create', 'namespace', namespace));
  afterAll(() => removeNamespace(namespace));

  const service = (metadata: object) =>
    stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'consul-server', namespace, ...metadata },
      spec: { ports: [{ port: 80 }] },
    });

  it.each<[string, Record<string, string>, object, string, string]>([
    [
      'by the word of the user',
      { adopt: 'never' },
      {},
      'not-owned',
      'Service/consul-server exists and was not deployed by this action',
    ],
    [
      'by Helm',
      {},
      {
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'mesh' },
      },
      'not-owned',
      'Service/consul-server belongs to the Helm release "mesh"',
    ],
    [
      'by the chart of consul-k8s',
      { adopt: 'always' },
      { labels: { app: 'consul', chart: 'consul-helm', heritage: 'Helm', component: 'server' } },
      'adoption',
      'Service/consul-server was installed by the consul-k8s chart',
    ],
  ])('is not touched: %s', async (_, change, metadata, reason, line) => {
    await kubectlApply(service(metadata));
    const before = await everythingIn(namespace);
    const version = await versions(namespace);
    const outcome = await deploy({ ...inputs, ...change });
    expect(outcome.code, outcome.log).toBe(1);
    expect(outcome.outputs).toMatchObject({ 'failure-reason': reason, changed: 'false' });
    expect(outcome.report?.failure?.details).toEqual([line]);
    expect(await versions(namespace)).toEqual(version);
    const { 'Lease/consul-deploy-consul': _lock, ...after } = await everythingIn(namespace);
    expect(after).toEqual(
      Object.fromEntries(Object.entries(before).filter(([object]) => !object.startsWith('Lease/'))),
    );
    await kubectl('-n', namespace, 'delete', 'service', 'consul-server');
  });

  it('becomes ours by the word of the user, with nothing left of who had it', async () => {
    const helm = {
      labels: { 'app.kubernetes.io/managed-by': 'Helm', release: 'mesh' },
      annotations: { 'meta.helm.sh/release-name': 'mesh', 'meta.helm.sh/release-namespace': namespace },
    };
    // Its one port has no name: beside ours it would have to have one.
    await kubectlApply(service(helm), '--server-side', '--field-manager=helm');
    const outcome = succeeded(await deploy({ ...inputs, adopt: 'always' }));
    expect(outcome.report?.warnings).toContainEqual(expect.stringContaining('Service/consul-server exists'));
    const { metadata } = await kubectlJson<{
      metadata: {
        labels: object;
        annotations?: object;
        managedFields: { manager: string; operation: string }[];
      };
    }>('-n', namespace, 'get', 'service', 'consul-server', '--show-managed-fields');
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'consul-deploy' });
    expect(metadata.labels).not.toHaveProperty('release');
    expect(metadata.annotations).toBeUndefined();
    expect(metadata.managedFields.map(({ manager }) => manager)).toEqual(['consul-deploy']);
  });
});
