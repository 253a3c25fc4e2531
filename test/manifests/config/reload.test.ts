import { describe, expect, test } from 'vitest';
import type { AgentConfigFragment } from '../../../src/config/config.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import {
  isReload,
  markConfiguration,
  markerOf,
  markStart,
  startMarkerOf,
  takenBy,
} from '../../../src/manifests/config/reload.ts';
import { render } from '../../../src/manifests/render.ts';
import { config, find, workloads } from '../fixture.ts';

const DIGEST = 'consul-deploy/config-digest';
const json = (value: object): AgentConfigFragment => ({ format: 'json', text: JSON.stringify(value) });
const hcl = (text: string): AgentConfigFragment => ({ format: 'hcl', text });

/** What is rendered for servers with this fragment. */
function servers(serverConfig?: AgentConfigFragment) {
  const objects = render(config(serverConfig ? { serverConfig } : {}));
  const [workload] = workloads(objects);
  return {
    configMap: find(objects, 'ConfigMap', 'consul-server-config'),
    digest: workload?.spec.template.metadata?.annotations?.[DIGEST],
  };
}

type Change = [string, AgentConfigFragment | undefined, AgentConfigFragment | undefined];

describe('a change that only touches what Consul reloads replaces no pod', () => {
  test.each<Change>([
    ['the log level', json({ log_level: 'info' }), json({ log_level: 'debug' })],
    ['a fragment with nothing else, which is new', undefined, json({ log_level: 'debug' })],
    ['one that is gone', json({ recursors: ['10.0.0.1'] }), undefined],
    [
      'all of the DNS settings',
      json({ dns_config: { node_ttl: '1s' } }),
      json({ dns_config: { only_passing: true } }),
    ],
    ['a limit', undefined, json({ limits: { rpc_rate: 9, rpc_max_burst: 10 } })],
    [
      'a limit beside one that needs a start and stays',
      json({ limits: { kv_max_value_size: 9 } }),
      json({ limits: { kv_max_value_size: 9, rpc_rate: 9 } }),
    ],
    [
      'a metrics filter',
      json({ telemetry: { prefix_filter: ['-a'] } }),
      json({ telemetry: { prefix_filter: [] } }),
    ],
    ['snapshots of Raft', undefined, json({ raft_snapshot_threshold: 9, raft_trailing_logs: 9 })],
    ['check output', undefined, json({ discard_check_output: true })],
    [
      'the log level where ACLs allow what they do not name',
      json({ acl: { enabled: true, default_policy: 'allow' } }),
      json({ acl: { enabled: true, default_policy: 'allow' }, log_level: 'debug' }),
    ],
  ])('%s', (_, from, to) => {
    const [before, after] = [servers(from), servers(to)];
    expect(after.digest).toBe(before.digest);
    expect(isReload(before.configMap, after.configMap)).toBe(true);
    expect(markerOf(after.configMap)).not.toBe(markerOf(before.configMap));
  });

  test('the recursors that an input names', () => {
    const [before, after] = [[], ['10.0.0.1']].map((recursors) => {
      const objects = render(config({ recursors }));
      return { objects, templates: workloads(objects).map(({ spec }) => spec.template) };
    });
    expect(after?.templates).toEqual(before?.templates);
    const maps = [before, after].map((one) => find(one?.objects ?? [], 'ConfigMap', 'consul-client-config'));
    expect(isReload(...(maps as [never, never]))).toBe(true);
  });
});

const ACLS = { acl: { enabled: true, default_policy: 'deny' } };

describe('any other change needs a start', () => {
  test.each<Change>([
    ['a setting that needs a start', undefined, json({ session_ttl_min: '11s' })],
    ['node metadata, which the catalog would not get', undefined, json({ node_meta: { rack: 'a' } })],
    ['a limit that needs a start', undefined, json({ limits: { kv_max_value_size: 9 } })],
    ['both at once', json({ log_level: 'info' }), json({ log_level: 'debug', disable_remote_exec: true })],
    ['HCL, which is not read', hcl('log_level = "INFO"'), hcl('log_level = "DEBUG"')],
    [
      'JSON that is none',
      { format: 'json', text: '{"a": 1,}' },
      { format: 'json', text: '{"log_level": 1,}' },
    ],
    ['ACLs that deny a reload', json(ACLS), json({ ...ACLS, log_level: 'debug' })],
    ['ACLs in HCL', hcl('acl = { enabled = true }'), hcl('acl = { enabled = true }\nlog_level = "DEBUG"')],
    [
      'what is in a Secret',
      json({ encrypt: 'bGl2ZS1nb3NzaXAta2V5' }),
      json({ encrypt: 'bGl2ZS1nb3NzaXAta2V5', log_level: 'debug' }),
    ],
  ])('%s', (_, from, to) => {
    const [before, after] = [servers(from), servers(to)];
    expect(after.digest).not.toBe(before.digest);
    expect(isReload(before.configMap, after.configMap)).toBe(false);
  });

  test('of a ConfigMap that a patch mounts beside it, whatever its files say', () => {
    const digest = (level: string) => {
      const target = { kind: 'StatefulSet', name: 'consul-server' };
      const operations = [
        {
          op: 'add',
          path: '/spec/template/spec/volumes/-',
          value: { name: 'more', configMap: { name: 'consul-client-config' } },
        },
      ];
      const change = {
        target: { kind: 'ConfigMap', name: 'consul-client-config' },
        merge: { data: { 'x.txt': level } },
      };
      const [server] = workloads(render(config({ patches: [{ target, operations }, change] as never })));
      return server?.spec.template.metadata?.annotations?.[DIGEST];
    };
    expect(digest('a')).not.toBe(digest('b'));
  });
});

describe('how agents in pods that stay take a change over', () => {
  type Taken = ReturnType<typeof takenBy>;
  test.each<[string, AgentConfigFragment | undefined, AgentConfigFragment | undefined, Taken]>([
    ['what can be reloaded', undefined, json({ log_level: 'debug' }), 'reloads'],
    ['what needs a start', undefined, json({ session_ttl_min: '11s' }), 'restarts'],
    ['both', undefined, json({ log_level: 'debug', session_ttl_min: '11s' }), 'restarts'],
    ['nothing', json({ log_level: 'debug' }), json({ log_level: 'debug' }), undefined],
    ['ACLs that deny to ask what an agent runs', json(ACLS), json({ ...ACLS, server_name: 'a' }), undefined],
    ['ACLs that begin to', undefined, json(ACLS), undefined],
    ['ACLs that did', json(ACLS), undefined, undefined],
  ])('%s', (_, from, to, taken) => {
    expect(takenBy(servers(from).configMap, servers(to).configMap)).toBe(taken);
  });
});

describe('the marker', () => {
  test('is two metrics filters in a file that Consul reads last, the second with the digest of the pod template', () => {
    const { configMap, digest } = servers(json({ log_level: 'debug' }));
    const files = configMap.data as Record<string, string>;
    expect(Object.keys(files)).toEqual(['10-agent.json', '20-override.json', '30-marker.json']);
    const marker = markerOf(configMap);
    expect(marker).toMatch(/^consul-deploy\.configuration\.[0-9a-f]{16}$/);
    expect(JSON.parse(files['30-marker.json'] ?? '')).toEqual({
      telemetry: { prefix_filter: [`-${marker}`, `-consul-deploy.start.${digest}`] },
    });
  });

  test('is the same for the same configuration, in whatever order a patch names its files', () => {
    const target = { kind: 'ConfigMap', name: 'consul-server-config' };
    const [one, other] = [
      { a: '1', b: '2' },
      { b: '2', a: '1' },
    ].map((data) => {
      const objects = render(config({ patches: [{ target, merge: { data } }] }));
      return markerOf(find(objects, 'ConfigMap', 'consul-server-config'));
    });
    expect(one).toBe(other);
    expect(one).not.toBe(markerOf(servers().configMap));
  });

  test('tells of the last start alone', () => {
    const { configMap } = servers();
    for (const digit of ['1', '2']) markStart(configMap, digit.repeat(16));
    expect(startMarkerOf(configMap)).toBe(`consul-deploy.start.${'2'.repeat(16)}`);
  });

  test('of the servers stays theirs where a patch mounts their configuration in clients, too', () => {
    const target = { kind: 'StatefulSet', name: 'consul-client' };
    const value = { name: 'more', configMap: { name: 'consul-server-config' } };
    const operations = [{ op: 'add', path: '/spec/template/spec/volumes/-', value } as const];
    const map = find(
      render(config({ patches: [{ target, operations }] })),
      'ConfigMap',
      'consul-server-config',
    );
    expect(startMarkerOf(map)).toBe(startMarkerOf(servers().configMap));
  });

  test.each([
    ['Secret', { kind: 'Secret' }],
    ["ConfigMap without the agents' own file", { data: { 'other.json': '{}' } }],
  ])('is in no %s', (_, change) => {
    const object: KubernetesObject = { ...servers().configMap, ...change };
    const { '30-marker.json': __, ...data } = object.data as Record<string, string>;
    const before = { ...object, data };
    const after = structuredClone(before);
    markConfiguration(after, undefined);
    expect(after).toEqual(before);
  });

  test('of the servers does not depend on what clients keep in a Secret', () => {
    const acl = { enabled: true, default_policy: 'deny', tokens: { agent: 'token-of-an-agent' } };
    const objects = render(config({ clientConfig: json({ acl }) }));
    expect(markerOf(find(objects, 'ConfigMap', 'consul-client-config'))).toBeUndefined();
    expect(markerOf(find(objects, 'ConfigMap', 'consul-server-config'))).toBeDefined();
  });

  test.each<[string, AgentConfigFragment]>([
    ['JSON', json({ acl: { enabled: true, default_policy: 'deny' } })],
    ['HCL', hcl('acl { enabled = true }')],
    [
      'a Secret',
      json({
        acl: {
          enabled: true,
          default_policy: 'deny',
          tokens: { agent: '11111111-2222-3333-4444-555555555555' },
        },
      }),
    ],
  ])('is not there where ACLs may deny a reload: in %s', (_, fragment) =>
    expect(markerOf(servers(fragment).configMap)).toBeUndefined(),
  );

  test.each([
    '',
    '{',
    '[]',
    '{"telemetry":{"prefix_filter":["-other"]}}',
    '{"telemetry":{"prefix_filter":3}}',
  ])('is not taken from what somebody else wrote there: %s', (text) => {
    const { configMap } = servers();
    expect(markerOf({ ...configMap, data: { '30-marker.json': text } })).toBeUndefined();
  });
});
