import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { render } from '../../src/manifests/render.ts';
import { serverAddresses } from '../../src/manifests/server/address.ts';
import { deployedConfig, deployedImage } from '../../src/session/deployed-config.ts';
import { config } from './fixture.ts';

const SHAPES: [string, Partial<Config>][] = [
  ['the defaults', {}],
  ['five servers', { servers: 5 }],
  ['another image', { image: `registry.example:5000/consul@sha256:${'1'.repeat(64)}` }],
  ['another datacenter and domain', { datacenter: 'fra1', domain: 'svc.example' }],
  ['a client on every node', { clients: 'daemonset' }],
  ['no clients', { clients: 'none' }],
  ['many clients', { clientReplicas: 500 }],
  ['no UI', { ui: false }],
  ['addresses of the pods', { serverAddresses: 'pod' }],
  ['no volumes', { serverStorage: { kind: 'ephemeral' } }],
  ['another size', { serverStorage: { kind: 'persistent', size: '1Gi' } }],
  ['more memory', { serverResources: { requests: { memory: '2Gi' }, limits: { memory: '4Gi' } } }],
  ['no resources', { serverResources: {} }],
  ['recursors', { recursors: ['10.0.0.53', '10.0.0.54:5353'] }],
  ['a fragment for servers', { serverConfig: { format: 'hcl', text: 'retry_join = ["10.0.0.1"]' } }],
  ['a fragment for clients', { clientConfig: { format: 'json', text: '{"log_level": "debug"}' } }],
];

test.each(SHAPES)('finds out what was deployed: %s', (_, shape) => {
  const deployed = config({ ...shape, name: 'mesh', namespace: 'other' });
  const given = config({ name: 'mesh', namespace: 'other', mode: 'verify' });
  expect(deployedConfig(given, render(deployed))).toEqual({
    config: { ...deployed, mode: 'verify', serverAddresses: serverAddresses(deployed) },
    unknown: [],
  });
});

test('what was given of where, what to prove and what to report stays as it is', () => {
  const given = config({
    mode: 'verify',
    smokeDns: false,
    stableFor: 7,
    serverAddresses: 'service',
    reportPath: '/tmp/report.json',
    maxUnreadyClients: { kind: 'count', count: 2 },
  });
  expect(deployedConfig(given, render(config())).config).toEqual(given);
});

test('what the objects do not tell, as after a post-render command, is said', () => {
  const objects = render(config()).filter(({ kind }) => kind !== 'ConfigMap');
  for (const { spec } of objects) Object.assign(spec ?? {}, { replicas: 7 });
  const given = config({ datacenter: 'given', servers: 5 });
  const { config: found, unknown } = deployedConfig(given, objects);
  expect(unknown).toEqual(['datacenter', 'domain', 'servers']);
  expect(found).toMatchObject({ datacenter: 'given', domain: 'consul', servers: 5, clientReplicas: 7 });
});

test('a configuration file that is none leaves it to the inputs', () => {
  const objects = render(config());
  for (const object of objects) if (object.kind === 'ConfigMap') object.data = { '10-agent.json': '[' };
  expect(deployedConfig(config(), objects).unknown).toEqual(['datacenter', 'domain']);
});

test('the image of each role is found in its workload', () => {
  const objects = render(config({ image: 'consul:1' }));
  expect(deployedImage(config(), 'server', objects)).toBe('consul:1');
  expect(deployedImage(config(), 'client', objects)).toBe('consul:1');
  expect(deployedImage(config(), 'client', render(config({ clients: 'none' })))).toBeUndefined();
});
