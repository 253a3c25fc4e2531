import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { consul } from '../consul/consul.ts';
import { kubectl, kubectlJson, namespaceName, pods, removeNamespace } from '../kubernetes/cluster.ts';
import { deploy, type Outcome } from '../run/action.ts';
import { TINY } from '../run/scenario.ts';
import { succeeded, told } from './owned.ts';

describe('configuration that holds a gossip key', () => {
  const namespace = namespaceName('key');
  const key = randomBytes(32).toString('base64');
  const { 'client-replicas': _, ...server } = TINY;
  const inputs = {
    ...server,
    namespace,
    clients: 'none',
    'server-storage': '1Gi',
    'server-config': JSON.stringify({ encrypt: key, log_level: 'DEBUG' }),
    'log-level': 'debug',
  };
  /** As versions had it that knew no Secret. */
  const before = `${process.execPath} ${resolve('test/e2e/ownership/as-config-map.mjs')}`;
  /** What the agent runs with, but for its address. */
  let running: string;
  afterAll(() => removeNamespace(namespace));

  async function configuration(): Promise<string> {
    const [server] = await pods(namespace, 'server');
    const ip = server?.status.podIP ?? '';
    const { DebugConfig } = await consul<{ DebugConfig: object }>(ip, '/v1/agent/self');
    return JSON.stringify(DebugConfig).replaceAll(ip, 'ADDRESS');
  }

  /** Where any form of the key stands. */
  function traces({ log, summary, outputs, report }: Outcome): string[] {
    const written = {
      // What the runner is told to mask, it does not print.
      log: log.replaceAll(/^.*::add-mask::.*$/gm, ''),
      summary,
      outputs: JSON.stringify(outputs),
      report: JSON.stringify(report),
    };
    const forms = [key, encodeURIComponent(key), Buffer.from(key).toString('base64')];
    return Object.entries(written).flatMap(([name, text]) =>
      forms.some((form) => text.includes(form)) ? [name] : [],
    );
  }

  /** Every ConfigMap of the namespace, with the record unpacked. */
  async function configMaps(): Promise<string> {
    const list = await kubectlJson<{ items: { binaryData?: { manifests?: string } }[] }>(
      '-n',
      namespace,
      'get',
      'configmaps',
    );
    const packed = list.items.flatMap(({ binaryData }) => binaryData?.manifests ?? []);
    return [
      JSON.stringify(list),
      ...packed.map((one) => gunzipSync(Buffer.from(one, 'base64')).toString()),
    ].join('\n');
  }

  it('was in a ConfigMap', async () => {
    const outcome = succeeded(await deploy({ ...inputs, tls: 'false', 'post-render': before }));
    expect(traces(outcome)).toEqual([]);
    expect((await configMaps()).split(key).length - 1).toBe(2);
    running = await configuration();
  });

  it('moves into a Secret, and agents run with what they ran with', async () => {
    const outcome = succeeded(await deploy(inputs));
    expect(traces(outcome)).toEqual([]);
    expect(told(outcome, 'created')).toEqual(['Secret/consul-server-config']);
    expect(told(outcome, 'changed').sort()).toEqual([
      'ConfigMap/consul-server-config',
      'StatefulSet/consul-server',
    ]);
    // An agent that starts again before its pod is replaced still finds it.
    const writes = outcome.log
      .split('\n')
      .flatMap((line) => /change ((?:StatefulSet|ConfigMap)\/.*)$/.exec(line)?.[1] ?? []);
    expect([...new Set(writes)]).toEqual(['StatefulSet/consul-server', 'ConfigMap/consul-server-config']);
    expect(await configMaps()).not.toContain(key);
    expect(await configuration()).toBe(running);
    const [server] = await pods(namespace, 'server');
    const [ring] = await consul<{ Keys: Record<string, number> }[]>(
      server?.status.podIP ?? '',
      '/v1/operator/keyring',
    );
    expect(Object.keys(ring?.Keys ?? {})).toEqual([key]);
  });

  it('stays there, and a change of it is drift that is not shown', async () => {
    const again = succeeded(await deploy(inputs));
    expect(again.outputs.changed).toBe('false');
    const fine = succeeded(await deploy({ namespace, mode: 'verify' }));
    expect([...traces(again), ...traces(fine)]).toEqual([]);
    const data = {
      '20-override.json': Buffer.from(inputs['server-config'].replace('DEBUG', 'WARN')).toString('base64'),
    };
    const patch = JSON.stringify({ data });
    await kubectl('-n', namespace, 'patch', 'secret', 'consul-server-config', '-p', patch);
    const outcome = await deploy({ namespace, mode: 'verify' });
    expect(outcome.outputs, outcome.log).toMatchObject({ result: 'failure', 'failure-reason': 'drift' });
    expect(outcome.report?.drift).toMatchObject([
      {
        kind: 'Secret',
        what: 'changed',
        fields: [{ path: '.data', after: '(hidden, changed)' }],
        by: 'kubectl-patch',
      },
    ]);
    expect(traces(outcome)).toEqual([]);
  });

  it('goes with the cluster', async () => {
    succeeded(await deploy({ namespace, mode: 'destroy', confirm: 'consul' }));
    expect(await kubectl('-n', namespace, 'get', 'secrets', '-o', 'name')).toBe('');
  });
});
