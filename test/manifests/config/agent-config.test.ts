import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { render } from '../../../src/manifests/render.ts';
import { config, find } from '../fixture.ts';

function agentConfig(given: Config, role: 'server' | 'client'): Record<string, unknown> {
  const data = find(render(given), 'ConfigMap', `consul-${role}-config`).data as Record<string, string>;
  return JSON.parse(data['10-agent.json'] ?? '') as Record<string, unknown>;
}

describe.each(['server', 'client'] as const)('%s', (role) => {
  test('inputs reach the agent', () => {
    const given = config({ datacenter: 'east', domain: 'svc.example', recursors: ['10.0.0.2'], ui: false });
    expect(agentConfig(given, role)).toMatchObject({
      datacenter: 'east',
      domain: 'svc.example',
      recursors: ['10.0.0.2'],
      ui_config: { enabled: false },
      server: role === 'server',
    });
    expect(agentConfig(config(), role)).toMatchObject({ ui_config: { enabled: true }, recursors: [] });
  });

  test('every agent has an id of its own and listens on every address', () => {
    expect(agentConfig(config(), role)).toMatchObject({
      disable_host_node_id: true,
      bind_addr: '0.0.0.0',
      client_addr: '0.0.0.0',
    });
  });
});

test.each([1, 3, 5] as const)('%i servers wait for each other and are never pruned below that', (servers) => {
  expect(agentConfig(config({ servers }), 'server')).toMatchObject({
    bootstrap_expect: servers,
    autopilot: { cleanup_dead_servers: true, min_quorum: servers },
  });
});

test.each([
  [{ kind: 'persistent', size: '1Gi' }, false],
  [{ kind: 'ephemeral' }, true],
] as const)('servers with storage %j leave when they stop: %s', (serverStorage, leaves) => {
  expect(agentConfig(config({ serverStorage }), 'server')).toMatchObject({
    leave_on_terminate: leaves,
    rejoin_after_leave: true,
  });
});

test('clients leave when they stop and do not form a quorum', () => {
  const client = agentConfig(config(), 'client');
  expect(client).toMatchObject({ leave_on_terminate: true, rejoin_after_leave: true });
  expect(client).not.toHaveProperty('bootstrap_expect');
});
