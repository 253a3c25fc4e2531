import { describe, expect, test } from 'vitest';
import { joinsByItself } from '../../../src/manifests/joins-by-itself.ts';
import { render } from '../../../src/manifests/render.ts';
import { advertisedBy, serverAddresses } from '../../../src/manifests/server/address.ts';
import { agentOf, config, find, services } from '../fixture.ts';

const fragment = (text: string) => ({ serverConfig: { format: 'json' as const, text } });

describe('what the servers advertise, where nobody says it', () => {
  test.each([
    ['with volumes', {}, 'service'],
    ['one server', { servers: 1 as const }, 'service'],
    ['with a configuration of their own', fragment('{"log_level":"debug","limits":{}}'), 'service'],
    ['without volumes', { serverStorage: { kind: 'ephemeral' as const } }, 'pod'],
    ['with an address of their own', fragment('{"advertise_addr":"10.0.0.1"}'), 'pod'],
    ['with another datacenter', fragment('{"retry_join_wan":["10.0.0.1"]}'), 'pod'],
    ['with other ports', fragment('{"ports":{"http":-1}}'), 'pod'],
    ['with networks that may gossip', fragment('{"serf_lan_allowed_cidrs":["10.0.0.0/8"]}'), 'pod'],
  ])('%s', (_, change, expected) => {
    expect(serverAddresses(config(change))).toBe(expected);
  });

  test('what is asked for counts', () => {
    expect(serverAddresses(config({ serverAddresses: 'pod' }))).toBe('pod');
  });
});

test.each(['service', 'pod'] as const)('%s can be told from the StatefulSet', (serverAddresses) => {
  const objects = render(config({ serverAddresses }));
  expect(advertisedBy(find(objects, 'StatefulSet', 'consul-server'))).toBe(serverAddresses);
});

test.each([
  ['without pods', {}],
  ['without arguments', { template: { spec: { containers: [{}] } } }],
  ['with arguments of something else', { template: { spec: { containers: [{ args: ['agent', '-ui'] }] } } }],
])('servers that say nothing of it advertise the address of their pods: %s', (_, spec) => {
  const made = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'consul-server' }, spec };
  expect(advertisedBy(made)).toBe('pod');
});

describe('with the addresses of the Services', () => {
  const given = config({ serverAddresses: 'service' });
  const server = agentOf(given, 'server');

  test('each takes that of its own, and another datacenter gets that of its pod', () => {
    const [advertise = '', wan] = server.args?.filter((one) => one.startsWith('-advertise')) ?? [];
    for (const ordinal of [0, 1, 2]) {
      expect(advertise).toContain(
        `{{ if eq "$(POD_NAME)" "consul-server-${ordinal}" }}{{ if eq "$(CONSUL_SERVER_${ordinal}_SERVICE_HOST)"`,
      );
    }
    expect(wan).toBe('-advertise-wan=$(POD_IP)');
  });

  test('their Services have every port that an agent listens on, and lead to agents that are not ready', () => {
    const ports = new Set(server.ports?.map(({ containerPort, protocol }) => `${containerPort} ${protocol}`));
    for (const ordinal of [0, 1, 2]) {
      const { spec } = services(render(given)).find(
        ({ metadata }) => metadata.name === `consul-server-${ordinal}`,
      ) ?? { spec: undefined };
      expect(new Set(spec?.ports?.map(({ port, protocol }) => `${port} ${protocol}`))).toEqual(ports);
      expect(spec?.publishNotReadyAddresses).toBe(true);
      expect(spec?.sessionAffinity).toBeUndefined();
    }
  });

  test('the guard runs first, and knows by the record whether the cluster has formed', () => {
    expect(server.command?.slice(0, 2)).toEqual(['/bin/sh', '-c']);
    expect(server.env?.find(({ name }) => name === 'FORMED')?.valueFrom?.configMapKeyRef).toEqual({
      name: 'consul-deploy-consul',
      key: 'formed',
      optional: true,
    });
  });

  test('the servers still find each other as rendered, but not with a command of somebody else', () => {
    const workload = find(render(given), 'StatefulSet', 'consul-server');
    expect(joinsByItself(given, 'server', workload)).toBe(true);
    const changed = structuredClone(workload) as unknown as {
      spec: { template: { spec: { containers: { command?: string[] }[] } } };
    };
    for (const container of changed.spec.template.spec.containers)
      container.command = ['/bin/sh', '-c', 'consul'];
    expect(joinsByItself(given, 'server', changed as never)).toBe(false);
  });
});

test.each(['service', 'pod'] as const)(
  'whoever stops a server has it hand over first: %s',
  (serverAddresses) => {
    const { lifecycle } = agentOf(config({ serverAddresses }), 'server');
    const script = lifecycle?.preStop?.exec?.command?.[2];
    expect(script).toContain('transfer-leader');
    // By which it knows that it leads.
    const own = { service: '$CONSUL_SERVER_1_SERVICE_HOST', pod: '$POD_IP' };
    expect(/^own=.*$/m.exec(script ?? '')?.[0]).toContain(own[serverAddresses]);
  },
);
