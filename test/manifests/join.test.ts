import { describe, expect, test } from 'vitest';
import type { Config, Patch } from '../../src/config/config.ts';
import { clientJoinArguments, joiners, serverJoinArguments } from '../../src/manifests/join.ts';
import { joinsByItself } from '../../src/manifests/joins-by-itself.ts';
import { render } from '../../src/manifests/render.ts';
import { agentOf, config, workloads } from './fixture.ts';

/** Whom each server asks. */
function asked(servers: number): number[][] {
  return Array.from({ length: servers }, (_, asker) =>
    Array.from({ length: servers }, (_, target) => target).filter((target) =>
      joiners(target, servers).includes(asker),
    ),
  );
}

function nonEmptySubsets<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length - 1 }, (_, index) =>
    items.filter((_, position) => ((index + 1) >> position) & 1),
  );
}

/** Every way to take one of each list. */
function choices<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((so, list) => so.flatMap((head) => list.map((one) => [...head, one])), [[]]);
}

/** Servers that know each other directly or through others, starting at the first. */
function pool(reached: readonly (readonly number[])[]): Set<number> {
  const members = new Set([0]);
  for (const member of members) {
    for (const next of reached[member] ?? []) members.add(next);
    reached.forEach((targets, asker) => {
      if (targets.includes(member)) members.add(asker);
    });
  }
  return members;
}

describe.each([3, 5])('%i servers', (servers) => {
  test('nobody asks itself, and everybody asks two', () => {
    asked(servers).forEach((targets, asker) => {
      expect(targets).toHaveLength(2);
      expect(targets).not.toContain(asker);
    });
  });

  test('form one pool, whichever of those that they ask they reach', () => {
    const outcomes = choices(asked(servers).map(nonEmptySubsets));
    expect(outcomes).toHaveLength(3 ** servers);
    for (const reached of outcomes) {
      expect(pool(reached).size, JSON.stringify(reached)).toBe(servers);
    }
  });
});

test('the pool of this test can tell two pools apart', () => {
  expect(pool([[1], [0], [3], [4], [2]])).toEqual(new Set([0, 1]));
});

describe('arguments of the servers', () => {
  test.each([1, 3, 5] as const)(
    '%i servers: one argument for each that is asked, for its askers',
    (servers) => {
      const found = serverJoinArguments(config({ servers })).map((argument) => ({
        target: /CONSUL_SERVER_(\d)_SERVICE_HOST/.exec(argument)?.[1],
        askers: [...argument.matchAll(/\(eq "\$\(POD_NAME\)" "consul-server-(\d)"\)/g)].map(
          ([, name]) => name,
        ),
      }));
      const ordinals = Array.from({ length: servers === 1 ? 0 : servers }, (_, ordinal) => ordinal);
      expect(found).toEqual(
        ordinals.map((target) => ({
          target: String(target),
          askers: joiners(target, servers).map(String),
        })),
      );
      for (const { target, askers } of found) expect(askers).not.toContain(target);
    },
  );

  test('take the address from the environment, and the name where the kubelet left the reference alone', () => {
    const [first] = serverJoinArguments(config({ namespace: 'mesh' }));
    expect(first).toBe(
      '-retry-join={{ if or (eq "$(POD_NAME)" "consul-server-2") (eq "$(POD_NAME)" "consul-server-1") }}' +
        '{{ if eq "$(CONSUL_SERVER_0_SERVICE_HOST)" "$$(CONSUL_SERVER_0_SERVICE_HOST)" }}' +
        'consul-server-0.mesh.svc{{ else }}$(CONSUL_SERVER_0_SERVICE_HOST){{ end }}{{ end }}',
    );
  });

  test('reach the container, after an identity of its own', () => {
    const given = config({ serverAddresses: 'pod' });
    const { args, command, env } = agentOf(given, 'server');
    expect(command?.slice(0, 2)).toEqual(['/bin/sh', '-c']);
    expect(command?.at(-1)).toBe('consul-server');
    expect(args).toEqual([
      'agent',
      '-node=$(POD_NAME)',
      '-advertise=$(POD_IP)',
      expect.stringMatching(/^-bind=/),
      '-client=127.0.0.1 $(POD_IP)',
      ...serverJoinArguments(config()),
    ]);
    expect(env?.map(({ name }) => name)).toEqual(['POD_NAME', 'POD_IP', 'CONSUL_DISABLE_PERM_MGMT']);
  });
});

describe('arguments of the clients', () => {
  test.each([1, 3, 5] as const)('ask each of %i servers', (servers) => {
    const found = clientJoinArguments(config({ servers }));
    expect(found.map((argument) => /\.svc|consul-server-\d/.exec(argument)?.[0])).toEqual(
      Array.from({ length: servers }, (_, ordinal) => `consul-server-${ordinal}`),
    );
    expect(found.join()).not.toContain('POD_NAME');
  });

  test.each([
    ['statefulset', '-node=$(POD_NAME)', []],
    ['daemonset', '-node=$(NODE_NAME)', ['NODE_NAME']],
  ] as const)('clients: %s are named %s', (clients, name, variables) => {
    const given = config({ clients });
    const { args, env } = agentOf(given, 'client');
    expect(args).toEqual([
      'agent',
      name,
      '-advertise=$(POD_IP)',
      expect.stringMatching(/^-bind=/),
      '-client=127.0.0.1 $(POD_IP)',
      ...clientJoinArguments(given),
    ]);
    expect(env?.map((one) => one.name)).toEqual([
      'POD_NAME',
      'POD_IP',
      ...variables,
      'CONSUL_DISABLE_PERM_MGMT',
    ]);
  });

  test('of a DaemonSet are named by the node that each runs on', () => {
    const { env } = agentOf(config({ clients: 'daemonset' }), 'client');
    expect(env?.find(({ name }) => name === 'NODE_NAME')?.valueFrom).toEqual({
      fieldRef: { fieldPath: 'spec.nodeName' },
    });
  });
});

describe.each(['server', 'client'] as const)('whether the %ss join as rendered', (role) => {
  const joins = (change: Partial<Config> = {}): boolean | undefined => {
    const given = config(change);
    const workload = workloads(render(given)).find(({ metadata }) => metadata.name === `consul-${role}`);
    return workload && joinsByItself(given, role, workload);
  };
  const patched = (path: string, value: unknown): { patches: Patch[] } => ({
    patches: [
      {
        target: { kind: 'StatefulSet', name: `consul-${role}` },
        operations: [{ op: 'add', path: `/spec/template/spec/containers/0/${path}`, value }],
      },
    ],
  });

  test('yes, also with arguments and configuration that are about something else', () => {
    expect(joins()).toBe(true);
    expect(joins(patched('args/-', '-log-level=debug'))).toBe(true);
    expect(joins({ [`${role}Config`]: { format: 'hcl', text: 'log_level = "DEBUG"' } })).toBe(true);
  });

  test.each(['server', 'client'] as const)('a retry_join for the %ss counts for them alone', (other) => {
    const fragment = { format: 'json', text: '{"retry_join":["10.0.0.9"]}' } as const;
    expect(joins({ [`${other}Config`]: fragment })).toBe(other !== role);
  });

  test('not with the arguments patched away', () => {
    expect(joins(patched('args', ['agent', '-retry-join=10.0.0.9']))).toBe(false);
  });

  test('not with one of them patched away', () => {
    const { args = [] } = agentOf(config(), role);
    expect(joins(patched('args', args))).toBe(true);
    expect(joins(patched('args', args.slice(0, -1)))).toBe(false);
  });

  test('not with another command, also beside a container that has none', () => {
    const { patches } = patched('command', ['/bin/sh', '-c', 'consul']);
    const sidecar = {
      op: 'add',
      path: '/spec/template/spec/containers/-',
      value: { name: 'other' },
    } as const;
    const target = { kind: 'StatefulSet', name: `consul-${role}` };
    expect(joins({ patches: [{ target, operations: [sidecar] }] })).toBe(true);
    expect(joins({ patches: [...patches, { target, operations: [sidecar] }] })).toBe(false);
  });
});
