import { describe, expect, test } from 'vitest';
import { type Census, isExternal, isLive, membersOf } from '../../../src/consul/catalog/census.ts';
import { ghostsIn } from '../../../src/consul/catalog/classification.ts';
import type { Member } from '../../../src/consul/quorum/evidence-answer.ts';
import { alive, census, instance, node, serf, told } from './census.ts';

/** What was seen, and why that is done about it which is done. */
const words = (given: Census, named?: Set<string>) =>
  ghostsIn(given, named).map(({ evidence, why, counts }) => [evidence, why, counts]);
const failed = (change: Partial<Census> = {}) => census({ members: new Map([['a', 'failed']]), ...change });
const held = new Map([['a', new Set<string>()]]);
const [placed, ours] = [new Set(['a']), new Set(['a'])];

describe('of a node is said what was seen, and why nothing or something is done', () => {
  const AGAIN = 'its agent comes back with the pod; `mode: verify` says why it has not';
  const RUNS = 'its agent runs and announces it, though gossip does not reach it; `mode: verify` says more';

  test.each<[string, Census, string, string]>([
    [
      'that no agent has announced',
      census({ nodes: [node('a')], instances: [instance('a', 'x'), instance('b', 'y')] }),
      'no member, announced by no agent, not marked as external; no serfHealth check; 1 service on it',
      'no agent has announced this node, so none announces it again',
    ],
    [
      'whose agent answers',
      census({ nodes: [node('a')], checks: [serf('b'), serf('a')], held }),
      'no member; serfHealth is critical; 0 services on it; its agent answers',
      RUNS,
    ],
    [
      'that has failed, whose agent answers',
      failed({ held }),
      'a member that has failed; its agent answers',
      RUNS,
    ],
    [
      'with a pod',
      census({ nodes: [node('a')], placed }),
      'no member, and its pod is there; no serfHealth check; 0 services on it',
      AGAIN,
    ],
    [
      'that has failed, with a pod',
      failed({ placed }),
      'a member that has failed; its pod exists, or will come',
      AGAIN,
    ],
    [
      'of this deployment',
      census({ nodes: [node('a')], ours }),
      'no member, no pod; no serfHealth check; 0 services on it',
      'no pod of this deployment has this name, so no agent announces it again',
    ],
    [
      'that an agent has announced',
      census({ nodes: [node('a', {}, true)], checks: [{ ...serf('a'), id: 'disk' }] }),
      'no member, no pod, and an agent has announced it; no serfHealth check; 0 services on it',
      'whether its agent still runs is not known here; if it does not, by hand: PUT /v1/catalog/deregister',
    ],
    [
      'that has failed and is in Raft',
      failed({ ours, peers: new Set(['a']) }),
      'a member that has failed; no pod',
      'it is a server of the Raft configuration: how many there are is a matter of the quorum',
    ],
    [
      'that has failed and is of somebody else',
      failed(),
      'a member that has failed',
      'no agent of this deployment has such a name, and it may come back; by hand: consul force-leave -prune a',
    ],
    [
      'that has failed',
      failed({ ours }),
      'a member that has failed; no pod',
      'the pool forgets it, the leader takes it out of the catalog, and no pod brings it back',
    ],
  ])('%s', (_, given, evidence, why) => expect(words(given)).toEqual([[evidence, why, true]]));

  test.each<[string, Record<string, string>, string]>([
    ['by hand', { 'external-node': 'true' }, 'external-node: true'],
    ['by the mesh of consul-k8s', { 'synthetic-node': 'true' }, 'synthetic-node: true'],
    ['by a tool', { 'external-source': 'nomad' }, 'external-source: nomad'],
  ])('that is external %s', (_, meta, mark) => {
    expect(words(census({ nodes: [node('a', meta)] }))).toEqual([
      [`no agent, and its meta says ${mark}`, 'it is there on purpose', false],
    ]);
  });

  test('that has left in order, and only where it has no pod', () => {
    const left = census({ members: new Map([['a', 'left']]), nodes: [node('a')] });
    expect(words(left)).toEqual([['a member that left in order', 'the pool forgets it by itself', false]]);
    expect(words({ ...left, placed })).toEqual([]);
  });

  test('that is leaving, nothing: it lives', () => {
    expect(words(census({ members: new Map([['a', 'leaving']]), nodes: [node('a')] }))).toEqual([]);
  });
});

describe('of a service is said what was seen, and why nothing or something is done', () => {
  test('that its agent does not hold', () => {
    const given = census({ ...alive({ a: [] }), instances: [instance('a', 'x-1', { name: 'x' })] });
    expect(words(given)).toEqual([
      [
        'an instance of x on a live agent that does not hold it',
        'its agent does not hold it, so it does not announce it again',
        true,
      ],
    ]);
  });

  test('whose address no pod has; none where the address is a name, another service is critical, or it is not held', () => {
    const gone = (change: Partial<Census> = {}, address = '10.0.0.9', service = 'x-1') =>
      words(
        census({
          ...alive({ a: ['x-1'] }),
          instances: [instance('a', 'x-1', { name: 'x', address })],
          checks: [{ node: 'a', id: 'c', service, status: 'critical' }],
          podAddresses: new Set<string>(),
          ...change,
        }),
      );
    expect(gone()).toEqual([
      [
        'an instance of x is critical, and its address 10.0.0.9 belongs to no pod',
        'a live agent announces it, and its application may be outside Kubernetes: name it in `deregister`',
        true,
      ],
    ]);
    expect(gone({}, 'web.example.com')).toEqual([]);
    expect(gone({}, '10.0.0.9', 'other')).toEqual([]);
    expect(gone({ held: new Map() })).toEqual([]);
    expect(gone({ members: new Map([['a', 'failed' as const]]), placed })).toHaveLength(1);
  });

  test('with one id at several agents, under one address or each under its own', () => {
    const twice = (...addresses: string[]) =>
      words(
        census({
          ...alive({ b: ['x'], a: ['x'], c: ['x'] }),
          instances: addresses.map((address, at) => instance('bac'[at] ?? '', 'x', { address })),
        }),
      );
    expect(twice('10.0.0.1', '10.0.0.1', '10.0.0.2')).toEqual([
      [
        '3 agents (a, b, c) announce it under one address',
        'live agents announce it, and which of them is right only the application knows: name it in `deregister`, then let it register once',
        true,
      ],
    ]);
    expect(twice('10.0.0.1', '')).toEqual([
      [
        '2 agents (a, b) announce this id, each an address of its own',
        'ids belong to their agent, so this may be meant; if not, name it in `deregister`',
        false,
      ],
    ]);
    expect(twice('', '').map(([, , counts]) => counts)).toEqual([false]);
    expect(twice('10.0.0.1')).toEqual([]);
  });

  test('with one id at one address and other ports or names: each has a place of its own', () => {
    const places = (...others: { port?: number; name?: string }[]) =>
      words(
        census({
          ...alive({ a: ['x'], b: ['x'] }),
          instances: others.map((one, at) => instance('ab'[at] ?? '', 'x', { address: '10.0.0.1', ...one })),
        }),
      ).map(([, , counts]) => counts);
    expect(places({}, {})).toEqual([true]);
    expect(places({ port: 1 }, { port: 2 })).toEqual([false]);
    expect(places({ name: 'x' }, { name: 'y' })).toEqual([false]);
  });
});

describe('of an id that is asked for', () => {
  const asked = (given: Census) => words(given, new Set(['x']));
  const listed = { instances: [instance('a', 'x')] };
  const ANNOUNCES = 'the agent that announces it forgets it';

  test.each<[string, Census, string, string]>([
    [
      'held and listed',
      census({ ...alive({ a: ['x'] }), ...listed }),
      'held by its agent and in the catalog',
      ANNOUNCES,
    ],
    ['held alone', census(alive({ a: ['x'] })), 'held by its agent, and not in the catalog', ANNOUNCES],
    [
      'listed alone, and its agent does not hold it',
      census({ ...alive({ a: [] }), ...listed }),
      'in the catalog',
      'its agent does not hold it, so it does not announce it again',
    ],
    [
      'at a live agent that does not answer',
      census({ ...alive({ a: [] }), ...listed, held: new Map() }),
      'in the catalog',
      'its agent is alive, and no pod of this deployment that answers: deregister it there, at a',
    ],
    [
      'at an agent that comes back',
      census({ ...listed, placed }),
      'in the catalog',
      'its agent does not run just now, and would announce it again: run again when it does',
    ],
    ['where no agent runs', census(listed), 'in the catalog', 'no agent runs under the name of this node'],
  ])('%s', (_, given, evidence, why) =>
    expect(asked(given)).toEqual([[`asked for; ${evidence}`, why, true]]),
  );

  test('nothing is done on a node that an agent of somebody else has announced; on one of ours, or a member, it is', () => {
    const given = (change: Partial<Census> = {}) =>
      told(
        ghostsIn(census({ nodes: [node('a', {}, true), node('b')], ...listed, ...change }), new Set(['x'])),
      )[0];
    expect(asked(census({ nodes: [node('a', {}, true)], ...listed }))[0]?.[1]).toBe(
      'an agent has announced its node, and whether that runs is not known here: deregister it there, at a',
    );
    expect(given()).toBe('named a x none');
    expect(given({ ours })).toBe('named a x catalog');
    expect(given({ members: new Map([['a', 'failed']]) })).toBe('named a x catalog');
    expect(given({ nodes: [node('a'), node('b', {}, true)] })).toBe('named a x catalog');
  });

  test('each node is told once, in the order of names, and no other id with it', () => {
    const given = census({
      ...alive({ b: ['x', 'y'], a: ['x'] }),
      instances: [instance('b', 'x'), instance('a', 'x'), instance('a', 'y'), instance('b', 'y')],
    });
    expect(told(ghostsIn(given, new Set(['x', 'z']))).filter((line) => line.startsWith('named'))).toEqual([
      'named a x agent',
      'named b x agent',
    ]);
  });
});

test('classes are told in their order, whatever order they are found in', () => {
  const given = census({
    nodes: [node('e', { 'external-node': 'true' }), node('s'), node('a')],
    members: new Map([
      ['l', 'left'],
      ['a', 'alive'],
      ['f', 'failed'],
    ]),
    held: new Map([['a', new Set(['x'])]]),
    instances: [instance('a', 'x'), instance('a', 'u')],
  });
  expect(told(ghostsIn(given, new Set(['x'])))).toEqual([
    'named a x agent',
    'unheld a u catalog',
    'synthetic s catalog',
    'failed f none',
    'left l none',
    'external e none',
  ]);
});

test('who lives, and what is external', () => {
  expect((['alive', 'leaving', 'failed', 'left', 'none', undefined] as const).map(isLive)).toEqual([
    ...[true, true, false, false, false, false],
  ]);
  const metas: Record<string, string>[] = [
    { 'external-node': 'false' },
    { 'synthetic-node': '' },
    { 'external-source': '' },
    { 'external-source': 'x' },
  ];
  expect(metas.map((meta) => isExternal(node('a', meta)))).toEqual([false, false, false, true]);
});

test('of a member that servers see differently the address and the part are those of the liveliest view', () => {
  const seen = (status: Member['status'], ip: string): { members: Member[] } => ({
    members: [{ name: 'a', status, ip, role: 'client', datacenter: 'dc1', version: '1' }],
  });
  expect([
    ...membersOf([seen('left', '1'), seen('leaving', '2'), seen('failed', '3'), seen('leaving', '4')]),
  ]).toEqual([['a', { status: 'leaving', role: 'client', ip: '2' }]]);
});
