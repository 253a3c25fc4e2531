import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { render } from '../../src/manifests/render.ts';
import { deployedConfig } from '../../src/session/deployed-config.ts';
import { agentOf, config, find } from './fixture.ts';

type Https = Config['https'];

function agentFile(https: Https, role: 'server' | 'client') {
  const { data } = find(render(config({ https })), 'ConfigMap', `consul-${role}-config`);
  return JSON.parse((data as Record<string, string>)['10-agent.json'] ?? '');
}

test.each([
  ['off', undefined, undefined, ['http'], 'HTTP'],
  ['also', 8501, undefined, ['http', 'https'], 'HTTP'],
  ['only', 8501, '127.0.0.1', ['https'], 'HTTPS'],
] as const)('https: %s', (https, port, plain, names, scheme) => {
  for (const role of ['server', 'client'] as const) {
    const file = agentFile(https, role);
    expect(file.ports?.https).toBe(port);
    expect(file.addresses?.http).toBe(plain);
    const { ports, readinessProbe, startupProbe } = agentOf(config({ https }), role);
    expect(ports?.map(({ name }) => name).filter((name) => name?.startsWith('http'))).toEqual(names);
    for (const probe of [readinessProbe, startupProbe]) {
      expect(probe?.httpGet).toMatchObject({ scheme, port: scheme.toLowerCase() });
    }
  }
});

test.each([
  ['off', [[80, 8500]]],
  [
    'also',
    [
      [80, 8500],
      [443, 8501],
    ],
  ],
  ['only', [[443, 8501]]],
] as const)('the Service of the UI, https: %s', (https, wanted) => {
  const { spec } = find(render(config({ https })), 'Service', 'consul-ui');
  const { ports } = spec as {
    ports: { name: string; protocol: string; port: number; targetPort: number }[];
  };
  // Kubernetes wants names of several, and server-side apply a protocol.
  for (const { name, protocol, port } of ports) {
    expect([name, protocol]).toEqual([port === 80 ? 'http' : 'https', 'TCP']);
  }
  expect(ports.map(({ port, targetPort }) => [port, targetPort])).toEqual(wanted);
});

test.each(['off', 'also', 'only'] as const)(
  'a verification knows from what was deployed: https %s',
  (https) => {
    expect(deployedConfig(config(), render(config({ https }))).config.https).toBe(https);
  },
);
