import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AgentConfigFragment, Config } from '../../../src/config/config.ts';
import { render } from '../../../src/manifests/render.ts';
import { manifestDigest, toYaml } from '../../../src/manifests/yaml.ts';
import { config, find, workloads } from '../fixture.ts';

const KEY = 'bGl2ZS1nb3NzaXAta2V5LW9mLTMyLWJ5dGVzLWhlcmU=';
const WITH_KEY: AgentConfigFragment = { format: 'json', text: `{"encrypt": "${KEY}"}` };
const WITHOUT: AgentConfigFragment = { format: 'hcl', text: 'log_level = "DEBUG"' };
const DIGEST = 'consul-deploy/config-digest';

const names = (given: Config) => render(given).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
const server = (given: Config) => workloads(render(given))[0];
const digest = (given: Config) => server(given)?.spec.template.metadata?.annotations?.[DIGEST];

/** What the agents' gossip is encrypted with, where there is a key. */
const OF_GOSSIP = { secret: expect.objectContaining({ name: 'consul-gossip', optional: true }) };
const OF_TLS = { secret: expect.objectContaining({ name: 'consul-server-tls', optional: true }) };

describe('a fragment with a secret', () => {
  test.each<[string, AgentConfigFragment]>([
    ['a gossip key', WITH_KEY],
    ['a token in HCL', { format: 'hcl', text: 'acl { tokens { agent = "agent-token" } }' }],
    [
      'a header of a health check',
      { format: 'json', text: '{"check":{"header":{"Authorization":["Bearer abcdef"]}}}' },
    ],
    ['a password in a URL', { format: 'hcl', text: 'watches = [{ a = "http://user:pass-word@host" }]' }],
  ])('is in the Secret of its role and nowhere else: %s', (_, fragment) => {
    const objects = render(config({ serverConfig: fragment }));
    const { apiVersion, data, type } = find(objects, 'Secret', 'consul-server-config');
    const file = `20-override.${fragment.format}`;
    expect({ apiVersion, data, type }).toEqual({
      apiVersion: 'v1',
      data: { [file]: Buffer.from(fragment.text).toString('base64') },
      type: 'Opaque',
    });
    expect(find(objects, 'ConfigMap', 'consul-server-config').data).not.toHaveProperty([file]);
    expect(toYaml(objects.filter(({ kind }) => kind !== 'Secret'))).not.toContain(fragment.text);
    expect(names(config({ serverConfig: fragment }))).not.toContain('Secret/consul-client-config');
  });

  test('is read by the pods from the same directory, under the same name, after our own file', () => {
    const volumes = server(config({ serverConfig: WITH_KEY }))?.spec.template.spec?.volumes;
    const name = 'consul-server-config';
    expect(volumes).toContainEqual({
      name: 'config',
      projected: { sources: [{ configMap: { name } }, { secret: { name } }, OF_GOSSIP, OF_TLS] },
    });
    const mounts = (given: Config) => server(given)?.spec.template.spec?.containers[0]?.volumeMounts;
    expect(mounts(config({ serverConfig: WITH_KEY }))).toEqual(mounts(config()));
  });

  test('goes to the clients, too, where there are any', () => {
    expect(names(config({ clientConfig: WITH_KEY }))).toContain('Secret/consul-client-config');
    expect(names(config({ clientConfig: WITH_KEY, clients: 'none' }))).not.toContain(
      'Secret/consul-client-config',
    );
  });

  test('rolls the pods that read it when it changes, and only then', () => {
    const other = { ...WITH_KEY, text: WITH_KEY.text.replace('bGl2', 'YmFk') };
    const digests = [config(), config({ serverConfig: WITH_KEY }), config({ serverConfig: other })].map(
      digest,
    );
    expect(new Set(digests).size).toBe(3);
    expect(digest(config({ serverConfig: { ...WITH_KEY } }))).toBe(digests[1]);
    expect(digest(config({ serverConfig: WITH_KEY, namespace: 'other' }))).not.toBe(digests[1]);
    // Another one would replace every server with such a fragment at the next deploy.
    expect(digests[1]).toBe('297baff7cf552428');
  });

  test('is in no digest as a hash that could be tried out fast', () => {
    const given = config({ serverConfig: { format: 'json', text: '{"password": "winter"}' } });
    const objects = render(given);
    const yaml = toYaml(objects);
    expect(manifestDigest(objects)).not.toBe(`sha256:${hash(yaml)}`);
    const changed = config({ serverConfig: { format: 'json', text: '{"password": "summer"}' } });
    expect(manifestDigest(render(changed))).not.toBe(manifestDigest(objects));
    // As it was before there were Secrets.
    const map = find(objects, 'ConfigMap', 'consul-server-config');
    const plain = [JSON.stringify([Object.entries(map.data ?? {}), []]), '{"password": "winter"}'];
    expect(digest(given)).not.toBe(hash(plain.join('\n')).slice(0, 16));
  });
});

describe('a fragment without a secret', () => {
  test('stays in the ConfigMap, and the pods stay what they were', () => {
    const given = config({ serverConfig: WITHOUT });
    const objects = render(given);
    expect(names(given).filter((name) => name.startsWith('Secret/'))).toEqual([]);
    const map = find(objects, 'ConfigMap', 'consul-server-config');
    expect(Object.keys(map.data ?? {})).toEqual(['10-agent.json', '20-override.hcl', '30-marker.json']);
    expect(server(given)?.spec.template.spec?.volumes).toContainEqual({
      name: 'config',
      projected: { sources: [{ configMap: { name: 'consul-server-config' } }, OF_GOSSIP, OF_TLS] },
    });
    // Another one would replace every server of every deployment at the next deploy.
    expect(digest(given)).toBe('ec3363968f3556f4');
  });

  test.each([
    ['whole', {}],
    ['a file of it', { items: [{ key: 'a', path: '40-mine.json' }] }],
  ])('has no digest of a volume that a patch makes of the ConfigMap and a Secret: %s', (_, which) => {
    const target = { kind: 'StatefulSet', name: 'consul-server' };
    const sources = [{ configMap: { name: 'consul-server-config' } }, { secret: { name: 'mine', ...which } }];
    const value = { name: 'config', projected: { sources } };
    const operations = [{ op: 'replace', path: '/spec/template/spec/volumes/0', value } as const];
    expect(digest(config({ patches: [{ target, operations }] }))).toBeUndefined();
  });
});

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
