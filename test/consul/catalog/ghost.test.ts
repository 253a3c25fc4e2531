import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Census,
  isExternal,
  isLive,
  type MemberStatus,
  membersOf,
} from '../../../src/consul/catalog/census.ts';
import { ghostsIn } from '../../../src/consul/catalog/classification.ts';
import type { CatalogCheck, CatalogNode, Instance } from '../../../src/consul/catalog/entry.ts';
import { type Ghost, ghostKey } from '../../../src/consul/catalog/ghost.ts';
import type { Member } from '../../../src/consul/quorum/evidence-answer.ts';

function census(change: Partial<Census> = {}): Census {
  return {
    ...{ nodes: [], instances: [], checks: [], members: new Map(), peers: new Set<string>() },
    ...{ held: new Map(), placed: new Set<string>(), ours: new Set<string>() },
    ...change,
  };
}
const node = (name: string, meta: CatalogNode['meta'] = {}, announced = false): CatalogNode => ({
  ...{ name, address: '', meta, announced },
});
const instance = (at: string, id: string, change: Partial<Instance> = {}): Instance => ({
  ...{ node: at, id, name: id, address: '', port: 80 },
  ...change,
});
const serf = (at: string): CatalogCheck => ({ node: at, id: 'serfHealth', service: '', status: 'critical' });
const told = (ghosts: readonly Ghost[]) =>
  ghosts.map(({ class: kind, nodes, service, remedy }) =>
    [kind, nodes.join('+'), ...(service === undefined ? [] : [service]), remedy].join(' '),
  );
/** Agents that are alive, and hold these. */
const alive = (held: Record<string, string[]>): Partial<Census> => ({
  members: new Map(Object.keys(held).map((name) => [name, 'alive' as const])),
  held: new Map(Object.entries(held).map(([name, ids]) => [name, new Set(ids)])),
  nodes: Object.keys(held).map((name) => node(name)),
});

describe('a node', () => {
  const failed = (change: Partial<Census> = {}) =>
    census({ nodes: [node('a')], members: new Map([['a', 'failed']]), checks: [serf('a')], ...change });

  test.each<[string, Census, string[]]>([
    ['of a live agent is none', census(alive({ a: [] })), []],
    ['that nobody has registered by an agent', census({ nodes: [node('a')] }), ['synthetic a catalog']],
    [
      'that gossip has forgotten, and whose agent answers',
      census({ nodes: [node('a', {}, true)], held: new Map([['a', new Set<string>()]]) }),
      ['failed a none'],
    ],
    [
      'that gossip has forgotten, and whose agent answers, with its check still in the catalog',
      census({ nodes: [node('a')], checks: [serf('a')], held: new Map([['a', new Set<string>()]]) }),
      ['failed a none'],
    ],
    [
      'that has failed for gossip, and whose agent answers',
      failed({ ours: new Set(['a']), held: new Map([['a', new Set<string>()]]) }),
      ['failed a none'],
    ],
    [
      'that gossip has forgotten, and that has a pod',
      census({ nodes: [node('a', {}, true)], placed: new Set(['a']), ours: new Set(['a']) }),
      ['failed a none'],
    ],
    [
      'that an agent has announced, of which nobody knows whether it runs',
      census({ nodes: [node('a', {}, true)] }),
      ['failed a none'],
    ],
    [
      'that an agent has announced, of which nobody knows whether it runs, with a check by gossip',
      census({ nodes: [node('a', {}, true)], checks: [serf('a')] }),
      ['failed a none'],
    ],
    [
      'that an agent of this deployment has announced, without a pod',
      census({ nodes: [node('a', {}, true)], ours: new Set(['a']) }),
      ['no-pod a catalog'],
    ],
    [
      'that was checked by gossip and is no member, of this deployment',
      census({ nodes: [node('a')], checks: [serf('a')], ours: new Set(['a']) }),
      ['no-pod a catalog'],
    ],
    [
      'that is no member yet while its pod is there',
      census({ nodes: [node('a')], checks: [serf('a')], placed: new Set(['a']), ours: new Set(['a']) }),
      ['failed a none'],
    ],
    ['that has failed, without a pod', failed({ ours: new Set(['a']) }), ['no-pod a force-leave']],
    [
      'that has failed, with a pod',
      failed({ ours: new Set(['a']), placed: new Set(['a']) }),
      ['failed a none'],
    ],
    ['that has failed, and is of somebody else', failed(), ['failed a none']],
    [
      'that has failed and is still a server in Raft',
      failed({ ours: new Set(['a']), peers: new Set(['a']) }),
      ['failed a none'],
    ],
    [
      'that has failed and is in the pool alone',
      failed({ ours: new Set(['a']), nodes: [] }),
      ['no-pod a force-leave'],
    ],
    ['that has left', census({ members: new Map([['a', 'left']]) }), ['left a none']],
    ['that is external', census({ nodes: [node('a', { 'external-node': 'true' })] }), ['external a none']],
    [
      'of the mesh of consul-k8s',
      census({ nodes: [node('a', { 'synthetic-node': 'true' })] }),
      ['external a none'],
    ],
  ])('%s', (_, given, expected) => expect(told(ghostsIn(given))).toEqual(expected));
});

describe('a service', () => {
  test.each<[string, Census, string[]]>([
    ['that its agent holds is none', census({ ...alive({ a: ['x'] }), instances: [instance('a', 'x')] }), []],
    [
      'that its agent does not hold',
      census({ ...alive({ a: [] }), instances: [instance('a', 'x')] }),
      ['unheld a x catalog'],
    ],
    [
      'on an agent that has not answered is none',
      census({ ...alive({ a: [] }), held: new Map(), instances: [instance('a', 'x')] }),
      [],
    ],
    [
      'of Consul itself, or of a running smoke test, is none',
      census({
        ...alive({ a: [] }),
        instances: [instance('a', 'consul'), instance('a', 'consul-deploy-smoke-1')],
      }),
      [],
    ],
    [
      'with one id at two agents',
      census({ ...alive({ a: ['x'], b: ['x'] }), instances: [instance('a', 'x'), instance('b', 'x')] }),
      ['duplicate a+b x none'],
    ],
    [
      'that is critical and whose address no pod has',
      census({
        ...alive({ a: ['x'] }),
        instances: [instance('a', 'x', { address: '10.0.0.9' })],
        checks: [{ node: 'a', id: 'c', service: 'x', status: 'critical' }],
        podAddresses: new Set(['10.0.0.8']),
      }),
      ['app-gone a x none'],
    ],
    [
      'that is critical and whose address a pod has is none, however it is spelled',
      census({
        ...alive({ a: ['x'] }),
        instances: [instance('a', 'x', { address: 'FD00:0:0:0:0:0:0:9' })],
        checks: [{ node: 'a', id: 'c', service: 'x', status: 'critical' }],
        podAddresses: new Set(['fd00::9']),
      }),
      [],
    ],
    [
      'that passes, whosever its address is, is none',
      census({
        ...alive({ a: ['x'] }),
        instances: [instance('a', 'x', { address: '10.0.0.9' })],
        checks: [{ node: 'a', id: 'c', service: 'x', status: 'passing' }],
        podAddresses: new Set(),
      }),
      [],
    ],
    [
      'where pods may not be listed is none',
      census({
        ...alive({ a: ['x'] }),
        instances: [instance('a', 'x', { address: '10.0.0.9' })],
        checks: [{ node: 'a', id: 'c', service: 'x', status: 'critical' }],
      }),
      [],
    ],
  ])('%s', (_, given, expected) => expect(told(ghostsIn(given))).toEqual(expected));

  test.each([
    '127.0.0.1',
    '127.0.1.1',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    'localhost',
    '0.0.0.0',
    '::',
    '169.254.10.1',
    'fe80::1',
    'FEBF::1%eth0',
  ])('twice at %s, which every agent has for itself, is no trouble', (address) => {
    const found = ghostsIn(
      census({
        ...alive({ a: ['x'], b: ['x'] }),
        instances: ['a', 'b'].map((at) => instance(at, 'x', { address })),
      }),
    );
    expect(found.map(({ class: kind, counts }) => [kind, counts])).toEqual([['duplicate', false]]);
  });

  test.each(['10.0.0.1', '128.0.0.1', '169.253.0.1', 'fd00::1', 'local.example'])(
    'twice at %s is trouble',
    (address) => {
      const found = ghostsIn(
        census({
          ...alive({ a: ['x'], b: ['x'] }),
          instances: ['a', 'b'].map((at) => instance(at, 'x', { address })),
        }),
      );
      expect(found.map(({ counts }) => counts)).toEqual([true]);
    },
  );

  test('twice under one address is trouble, each under its own is not', () => {
    const twice = (...addresses: string[]) =>
      ghostsIn(
        census({
          ...alive({ a: ['x'], b: ['x'] }),
          instances: addresses.map((address, at) => instance(at === 0 ? 'a' : 'b', 'x', { address })),
        }),
      ).map(({ counts }) => counts);
    expect(twice('10.0.0.1', '10.0.0.1')).toEqual([true]);
    expect(twice('10.0.0.1', '10.0.0.2')).toEqual([false]);
    expect(twice('fd00::1', 'FD00:0:0:0:0:0:0:1')).toEqual([true]);
    expect(twice('fd00::1', 'fd00::2')).toEqual([false]);
  });
});

describe('an id that is asked for', () => {
  const named = new Set(['x']);
  test.each<[string, Census, string[]]>([
    [
      'is removed at every agent that holds it',
      census({
        ...alive({ a: ['x'], b: ['x'], c: [] }),
        instances: [instance('a', 'x'), instance('b', 'x')],
      }),
      ['named a x agent', 'named b x agent'],
    ],
    ['also where the catalog does not show it', census(alive({ a: ['x'] })), ['named a x agent']],
    [
      'and in the catalog where its agent does not hold it',
      census({ ...alive({ a: [] }), instances: [instance('a', 'x')] }),
      ['named a x catalog'],
    ],
    [
      'also on a node that is external on purpose',
      census({ nodes: [node('a', { 'external-node': 'true' })], instances: [instance('a', 'x')] }),
      ['named a x catalog', 'external a none'],
    ],
    [
      'but not where a live agent cannot be asked',
      census({ ...alive({ a: [] }), held: new Map(), instances: [instance('a', 'x')] }),
      ['named a x none'],
    ],
    [
      'nor on a node that an agent has announced, of which nobody knows whether it runs',
      census({ nodes: [node('a', {}, true)], instances: [instance('a', 'x')] }),
      ['named a x none', 'failed a none'],
    ],
    [
      'nor where its agent comes back with its pod',
      census({
        nodes: [node('a')],
        instances: [instance('a', 'x')],
        members: new Map([['a', 'failed']]),
        placed: new Set(['a']),
      }),
      ['named a x none', 'failed a none'],
    ],
  ])('%s', (_, given, expected) => expect(told(ghostsIn(given, named))).toEqual(expected));
});

test('a member is as alive as any server believes', () => {
  const member = (status: Member['status']) => ({
    members: [
      {
        name: 'a',
        status,
        ip: '10.0.0.1',
        role: 'client' as const,
        datacenter: 'dc1',
        version: '1.22.7',
      },
    ],
  });
  const statuses = (...of: Member['status'][]) => [...membersOf([...of.map(member), {}]).values()];
  expect(statuses('failed', 'alive')).toMatchObject([{ status: 'alive' }]);
  expect(statuses('left', 'failed')).toMatchObject([{ status: 'failed' }]);
});

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
