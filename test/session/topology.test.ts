import { describe, expect, test } from 'vitest';
import type { ServerEvidence } from '../../src/consul/quorum/evidence.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import { topologyOf } from '../../src/session/topology.ts';
import type { Role } from '../../src/session/workloads.ts';
import { pod } from '../rollout/fixture.ts';

const NAMES = ['consul-server-0', 'consul-server-1', 'consul-server-2'];

/** What this server says: who leads, and who votes. */
function says(name: string, leader: string, voters = NAMES): ServerEvidence {
  return {
    name,
    raft: NAMES.map((node) => ({
      id: node,
      node,
      address: `${node}:8300`,
      leader: node === leader,
      voter: voters.includes(node),
    })),
    denied: [],
    errors: {},
  };
}

function seen(pods: Record<Role, PodView[]>, evidence: ServerEvidence[] = []) {
  return topologyOf({ pods: (role) => pods[role], serverNames: () => NAMES }, evidence);
}

const servers = NAMES.map((name, index) => pod(name, { node: `node-${index}` }));
const client = (index: number, change: Partial<PodView> = {}) => pod(`consul-client-${index}`, change);

describe('a server', () => {
  test('is seen with its node and its part in Raft', () => {
    const { servers: found } = seen({ server: servers, client: [] }, [
      says('consul-server-0', 'consul-server-1', NAMES.slice(0, 2)),
    ]);
    expect(found).toEqual([
      { name: 'consul-server-0', node: 'node-0', state: 'ready', raft: 'voter' },
      { name: 'consul-server-1', node: 'node-1', state: 'ready', raft: 'leader' },
      { name: 'consul-server-2', node: 'node-2', state: 'ready', raft: 'non-voter' },
    ]);
  });

  test('that has no pod is missing; one that is not ready says so; without an answer nothing is said of Raft', () => {
    const { servers: found } = seen({
      server: [pod('consul-server-0', { ready: false }), pod('consul-server-7', { node: 'a' })],
      client: [],
    });
    expect(found).toEqual([
      { name: 'consul-server-0', state: 'unready' },
      { name: 'consul-server-1', state: 'missing' },
      { name: 'consul-server-2', state: 'missing' },
      { name: 'consul-server-7', node: 'a', state: 'ready' },
    ]);
  });

  test('is believed about itself before others are: two that lead are both leaders', () => {
    const { servers: found } = seen({ server: servers, client: [] }, [
      says('consul-server-0', 'consul-server-0'),
      says('consul-server-1', 'consul-server-1'),
    ]);
    expect(found.map(({ raft }) => raft)).toEqual(['leader', 'leader', 'voter']);
  });
});

describe('clients', () => {
  test('are counted by node: first where one is not ready, then where the most are', () => {
    const { nodes, rest, unscheduled } = seen({
      server: servers,
      client: [
        client(0, { node: 'a' }),
        client(1, { node: 'b' }),
        client(2, { node: 'b' }),
        client(3, { node: 'c', ready: false }),
        client(4, { ready: false }),
      ],
    });
    expect(nodes).toEqual([
      { node: 'c', clients: 1, ready: 0 },
      { node: 'b', clients: 2, ready: 2 },
      { node: 'a', clients: 1, ready: 1 },
    ]);
    expect([rest, unscheduled]).toEqual([undefined, 1]);
  });

  test('of thousands of nodes are summed up beyond a hundred', () => {
    const clients = Array.from({ length: 5_000 }, (_, index) =>
      client(index, { node: `node-${index}`, ready: index !== 4_321 }),
    );
    const { nodes, rest } = seen({ server: servers, client: clients });
    expect(nodes).toHaveLength(100);
    expect(nodes[0]).toEqual({ node: 'node-4321', clients: 1, ready: 0 });
    expect(rest).toEqual({ nodes: 4_900, clients: 4_900, ready: 4_900 });
  });
});
