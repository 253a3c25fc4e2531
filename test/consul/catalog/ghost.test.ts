import { describe, expect, test } from 'vitest';
import { type Census, membersOf } from '../../../src/consul/catalog/census.ts';
import { ghostsIn } from '../../../src/consul/catalog/classification.ts';
import type { Member } from '../../../src/consul/quorum/evidence-answer.ts';
import { alive, census, instance, node, serf, told } from './census.ts';

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
