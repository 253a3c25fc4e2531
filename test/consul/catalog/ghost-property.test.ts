import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Census, isExternal, isLive, type MemberStatus } from '../../../src/consul/catalog/census.ts';
import { ghostsIn } from '../../../src/consul/catalog/classification.ts';
import { type Ghost, ghostKey } from '../../../src/consul/catalog/ghost.ts';
import { alive, census, instance, node, serf } from './census.ts';

describe('whatever a cluster looks like', () => {
  const NAMES = ['a', 'b', 'c', 'd'];
  const IDS = ['x', 'y', 'consul', 'consul-deploy-smoke-1'];
  const names = fc.uniqueArray(fc.constantFrom(...NAMES)).map((list) => new Set(list));
  const statuses = fc.constantFrom<MemberStatus | undefined>('alive', 'leaving', 'failed', 'left', undefined);
  const ids = fc.option(fc.uniqueArray(fc.constantFrom(...IDS)), { nil: undefined });
  const meta = fc.constantFrom({}, { 'external-node': 'true' }, { 'external-source': 'kubernetes' });
  const any = fc
    .record({
      nodes: fc.uniqueArray(
        fc.record({
          ...{ name: fc.constantFrom(...NAMES), meta },
          ...{ address: fc.constant(''), announced: fc.boolean() },
        }),
        {
          selector: ({ name }) => name,
        },
      ),
      instances: fc.uniqueArray(
        fc.record({
          node: fc.constantFrom(...NAMES),
          id: fc.constantFrom(...IDS),
          address: fc.constantFrom('', '10.0.0.1', '10.0.0.2'),
        }),
        { selector: ({ node, id }) => `${node} ${id}` },
      ),
      checked: names,
      statuses: fc.tuple(statuses, statuses, statuses, statuses),
      held: fc.tuple(ids, ids, ids, ids),
      peers: names,
      placed: names,
      ours: names,
      named: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')).map((list) => new Set(list)),
    })
    .map(({ instances, checked, statuses, held, named, ...rest }) => ({
      named,
      census: census({
        ...rest,
        instances: instances.map(({ node, id, address }) => instance(node, id, { address })),
        checks: [...checked].map(serf),
        members: new Map(NAMES.flatMap((name, at) => (statuses[at] ? [[name, statuses[at]]] : []))),
        held: new Map(NAMES.flatMap((name, at) => (held[at] ? [[name, new Set(held[at])]] : []))),
        podAddresses: new Set(['10.0.0.1']),
      }),
    }));
  const each = (check: (ghost: Ghost, given: { census: Census; named: Set<string> }) => void) =>
    fc.assert(
      fc.property(any, (given) => {
        for (const ghost of ghostsIn(given.census, given.named)) check(ghost, given);
      }),
      { numRuns: 2_000 },
    );

  test('nothing that a live agent announces is touched unless it is asked for', () => {
    each(({ remedy, service, nodes }, { census: { held, members }, named }) => {
      if (remedy === 'none' || service === undefined || named.has(service)) return;
      for (const one of nodes) {
        expect(isLive(members.get(one))).toBe(true);
        expect(held.get(one)?.has(service)).toBe(false);
      }
    });
  });

  test('no node is touched that lives, is external, is in Raft and known to gossip, or has a pod and an agent', () => {
    each(({ remedy, service, nodes: [name = ''] }, { census }) => {
      if (remedy === 'none' || service !== undefined) return;
      expect(isLive(census.members.get(name))).toBe(false);
      expect(census.nodes.some((one) => one.name === name && isExternal(one))).toBe(false);
      expect(census.held.has(name)).toBe(false);
      const announced = census.nodes.some((one) => one.name === name && one.announced);
      expect(announced && !census.ours.has(name)).toBe(false);
      if (remedy === 'force-leave') {
        expect(census.peers.has(name) || census.placed.has(name)).toBe(false);
        expect(census.members.get(name)).toBe('failed');
      }
    });
  });

  test('the work grows with the size of the catalog and no faster', () => {
    let reads = 0;
    const counted = <T extends object>(list: T[], field: keyof T): T[] =>
      list.map(
        (one) =>
          new Proxy(one, {
            get: (target, key) => {
              if (key === field) reads += 1;
              return Reflect.get(target, key);
            },
          }),
      );
    const work = (size: number) => {
      const names = Array.from({ length: size }, (_, n) => `n${n}`);
      const given = census({
        ...alive({ a: names }),
        nodes: [node('a'), ...names.map((name) => node(name))],
        instances: counted(
          names.map((id) => instance('a', id, { address: '10.0.0.9' })),
          'node',
        ),
        checks: counted(
          names.map((service) => ({ node: 'a', id: 'c', service, status: 'critical' })),
          'node',
        ),
        podAddresses: new Set(),
      });
      reads = 0;
      expect(ghostsIn(given)).toHaveLength(2 * size);
      return reads;
    };
    expect(work(400)).toBeLessThan(work(100) * 8);
  });

  test('Consul itself and smoke services are nobody’s ghosts', () => {
    each(({ service = '' }) => expect(service).not.toMatch(/^consul/));
  });

  test('each is told once, with the evidence and the reason', () => {
    fc.assert(
      fc.property(any, ({ census, named }) => {
        const ghosts = ghostsIn(census, named);
        const keys = ghosts.map(ghostKey);
        expect(new Set(keys).size).toBe(keys.length);
        for (const { evidence, why, counts, remedy } of ghosts) {
          expect(evidence && why).not.toBe('');
          // What is removed is always trouble.
          if (remedy !== 'none') expect(counts).toBe(true);
        }
      }),
    );
  });
});
