import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { render } from '../../../src/manifests/render.ts';
import { toYaml } from '../../../src/manifests/yaml.ts';
import { config, find, workloads } from '../fixture.ts';

const DIGEST = 'consul-deploy/config-digest';

function digests(given: Config): { server: string; client: string } {
  const [server = '', client = ''] = workloads(render(given)).map(
    ({ spec }) => spec.template.metadata?.annotations?.[DIGEST] ?? 'none',
  );
  return { server, client };
}

/** Names of the objects that differ. */
function changed(before: Config, after: Config): string[] {
  const old = new Map(render(before).map((object) => [object.kind + object.metadata.name, toYaml([object])]));
  return render(after)
    .filter((object) => old.get(object.kind + object.metadata.name) !== toYaml([object]))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

const fragment = { format: 'json', text: '{"session_ttl_min":"11s"}' } as const;

describe('a change rolls exactly the pods that read it', () => {
  test.each([
    ['server-config', { serverConfig: fragment }, 'server'],
    ['client-config', { clientConfig: fragment }, 'client'],
  ] as const)('%s', (_, change, role) => {
    expect(changed(config(), config(change))).toEqual([
      `ConfigMap/consul-${role}-config`,
      `StatefulSet/consul-${role}`,
    ]);
    const before = digests(config());
    const after = digests(config(change));
    const other = role === 'server' ? 'client' : 'server';
    expect(after[role]).toMatch(/^[0-9a-f]{16}$/);
    expect(after[role]).not.toBe(before[role]);
    expect(after[other]).toBe(before[other]);
  });

  test('what both read rolls both', () => {
    const before = digests(config());
    const after = digests(config({ datacenter: 'east' }));
    expect(after.server).not.toBe(before.server);
    expect(after.client).not.toBe(before.client);
  });

  test('what none of them reads rolls nothing: the UI Service, labels of a ConfigMap', () => {
    const target = { kind: 'ConfigMap', name: 'consul-server-config' };
    const labelled = config({ patches: [{ target, merge: { metadata: { labels: { team: 'a' } } } }] });
    expect(changed(config(), labelled)).toEqual(['ConfigMap/consul-server-config']);
  });

  test('a patch of the ConfigMap counts, too', () => {
    const target = { kind: 'ConfigMap', name: 'consul-client-config' };
    const patched = config({
      patches: [{ target, merge: { data: { '30-more.hcl': 'log_level = "WARN"' } } }],
    });
    expect(changed(config(), patched)).toEqual([
      'ConfigMap/consul-client-config',
      'StatefulSet/consul-client',
    ]);
  });

  test('the order of keys in a patch does not', () => {
    const target = { kind: 'ConfigMap', name: 'consul-client-config' };
    const one = config({ patches: [{ target, merge: { data: { a: '1', b: '2' } } }] });
    const other = config({ patches: [{ target, merge: { data: { b: '2', a: '1' } } }] });
    expect(digests(one)).toEqual(digests(other));
  });

  test('annotations that a patch gives the pods stay beside the digest', () => {
    const target = { kind: 'StatefulSet', name: 'consul-server' };
    const merge = { spec: { template: { metadata: { annotations: { team: 'a' } } } } };
    const [server] = workloads(render(config({ patches: [{ target, merge }] })));
    expect(server?.spec.template.metadata?.annotations).toEqual({
      team: 'a',
      [DIGEST]: digests(config()).server,
    });
  });
});

describe("the user's fragment", () => {
  test.each([
    ['json', '{"log_level":"DEBUG"}'],
    ['hcl', 'log_level = "DEBUG"'],
  ] as const)('is a second file in its own format, after ours: %s', (format, text) => {
    const map = find(render(config({ serverConfig: { format, text } })), 'ConfigMap', 'consul-server-config');
    const data = map.data as Record<string, string>;
    const names = Object.keys(data);
    expect(names).toEqual(['10-agent.json', `20-override.${format}`, '30-marker.json']);
    expect(names).toEqual(names.toSorted());
    expect(data[`20-override.${format}`]).toBe(text);
  });
});
