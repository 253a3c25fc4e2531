import { describe, expect, test } from 'vitest';
import { SnapshotOthers } from '../../../src/consul/snapshot/others.ts';
import { countedAs, RECORD_TYPE } from '../../../src/consul/snapshot/record-type.ts';
import { checkOf } from '../../../src/consul/snapshot/registration.ts';
import { SnapshotSessions } from '../../../src/consul/snapshot/sessions.ts';
import { SnapshotTokens } from '../../../src/consul/snapshot/tokens.ts';

type Fields = Record<string, unknown>;

const bytes = (text: string) => Buffer.from(text);

describe('sessions', () => {
  const sessions = (...records: [type: number, record: Fields][]) => {
    const known = new SnapshotSessions();
    for (const [type, record] of records) known.add(type, { ...record });
    known.key({ key: 'locked', session: 's-1' });
    known.key({ key: 'free', session: undefined });
    return known;
  };
  const session = (id: string, behavior: string): [number, Fields] => [
    RECORD_TYPE.session,
    { ID: bytes(id), Behavior: bytes(behavior) },
  ];

  test('a key goes with the session that holds it where that deletes, and not where it releases', () => {
    expect(sessions(session('s-1', 'delete')).deleting('locked')).toBe('s-1');
    expect(sessions(session('s-1', 'release')).deleting('locked')).toBeUndefined();
    expect(sessions(session('s-2', 'delete')).deleting('locked')).toBeUndefined();
    expect(sessions(session('s-1', 'delete')).deleting('free')).toBeUndefined();
    expect(sessions([RECORD_TYPE.session, { ID: bytes('s-1') }]).deleting('locked')).toBeUndefined();
  });

  test('only records of sessions are some, whatever they hold', () => {
    const known = sessions(session('s-1', 'release'), [RECORD_TYPE.session, { ID: 'text' }]);
    expect([known.has('s-1'), known.has('text'), known.has('s-2')]).toEqual([true, false, false]);
    expect(sessions([RECORD_TYPE.aclToken, { ID: bytes('s-1'), Behavior: bytes('delete') }]).has('s-1')).toBe(
      false,
    );
  });
});

describe('the rights of a token', () => {
  const MANAGES = '00000000-0000-0000-0000-000000000001';
  const links = (...ids: string[]) => ids.map((id) => ({ ID: bytes(id) }));
  const tokens = (...records: [type: number, record: Fields][]) => {
    const known = new SnapshotTokens();
    for (const [type, record] of records) known.add(type, { ...record });
    return known;
  };
  const token = (record: Fields): [number, Fields] => [
    RECORD_TYPE.aclToken,
    { SecretID: bytes('secret'), ...record },
  ];
  const policy = (id: string, name: string, rules: string, more: Fields = {}): [number, Fields] => [
    RECORD_TYPE.aclPolicy,
    { ID: bytes(id), Name: bytes(name), Rules: bytes(rules), ...more },
  ];
  const role = (id: string, record: Fields): [number, Fields] => [
    RECORD_TYPE.aclRole,
    { ID: bytes(id), ...record },
  ];
  const rights = (...records: [type: number, record: Fields][]) => tokens(...records).rightsOf('secret');
  /** The digest of what one part gives. */
  const part = (name: string, ...records: [type: number, record: Fields][]) =>
    rights(...records)?.parts.get(name);

  test('are those of its own secret alone', () => {
    expect(tokens(token({})).rightsOf('other')).toBeUndefined();
    expect(rights(token({}))).toEqual({ managesAll: false, isInitial: false, parts: new Map() });
  });

  test('are everything by the built-in policy, its own or that of a role', () => {
    expect(rights(token({ Policies: links(MANAGES) }))?.managesAll).toBe(true);
    expect(rights(role('r', { Policies: links(MANAGES) }), token({ Roles: links('r') }))?.managesAll).toBe(
      true,
    );
    expect(rights(role('r', { Policies: links(MANAGES) }), token({ Roles: links('q') }))?.managesAll).toBe(
      false,
    );
  });

  test('of the first token are known by what it is called', () => {
    expect(rights(token({ Description: bytes('Initial Management Token') }))?.isInitial).toBe(true);
    expect(rights(token({ Description: bytes('another') }))?.isInitial).toBe(false);
    const first = role('r', { Description: bytes('Initial Management Token') });
    expect(rights(first, token({ Roles: links('r') }))?.isInitial).toBe(false);
  });

  test('are told by the names of what gives them: policies, and what a token or its roles have of their own', () => {
    const given = {
      ServiceIdentities: [{ ServiceName: bytes('web') }],
      NodeIdentities: [{ NodeName: bytes('a') }],
      TemplatedPolicies: [{ TemplateName: bytes('t') }],
      ExpirationTime: 7,
    };
    expect([...(rights(token(given))?.parts.keys() ?? [])]).toEqual([
      'service identities',
      'node identities',
      'templated policies',
      'the time at which it ends',
    ]);
    const nothing = { ServiceIdentities: [], NodeIdentities: null, TemplatedPolicies: undefined };
    expect(rights(token(nothing))?.parts.size).toBe(0);
    const parts = rights(
      policy('p', 'web', 'a'),
      policy('q', 'of a role', 'b'),
      policy('z', 'of nobody', 'c'),
      role('r', { Policies: links('q', 'gone'), ServiceIdentities: given.ServiceIdentities }),
      token({ Policies: links('p'), Roles: links('r') }),
    )?.parts;
    expect([...(parts?.keys() ?? [])].sort()).toEqual([
      'policy "of a role"',
      'policy "web"',
      'service identities',
    ]);
  });

  test('differ where the rules or the datacenters of a policy do, and not by white space around the rules', () => {
    const of = (rules: string, more?: Fields) =>
      part('policy "web"', policy('p', 'web', rules, more), token({ Policies: links('p') }));
    expect(of(' a\n')).toBe(of('a'));
    expect(of('b')).not.toBe(of('a'));
    expect(of('a', { Datacenters: [bytes('dc1')] })).not.toBe(of('a'));
    expect(of('a', { Datacenters: [] })).toBe(of('a'));
    const web = (name: string) =>
      part('service identities', token({ ServiceIdentities: [{ ServiceName: bytes(name) }] }));
    expect(web('web')).toBe(web('web'));
    expect(web('web')).not.toBe(web('api'));
  });

  test('of many tokens with one grant are those of each', () => {
    const known = tokens(
      policy('p', 'web', 'a'),
      ...['s-1', 's-2'].map((secret) => token({ SecretID: bytes(secret), Policies: links('p') })),
      token({ SecretID: bytes('s-3'), Policies: 'damaged' }),
    );
    expect(['s-1', 's-2', 's-3'].map((secret) => known.rightsOf(secret)?.parts.size)).toEqual([1, 1, 0]);
  });
});

describe('other records', () => {
  const others = (fill: (known: SnapshotOthers) => void) => {
    const known = new SnapshotOthers();
    fill(known);
    return known;
  };
  const differ = (here: (known: SnapshotOthers) => void, there: (known: SnapshotOthers) => void) =>
    others(here)
      .comparedWith(others(there))
      .flatMap(([kind, { removed, changed, added }]) => [
        ...removed.map((name) => `${kind} removed ${name}`),
        ...changed.map((name) => `${kind} changed ${name}`),
        ...added.map((name) => `${kind} added ${name}`),
      ]);
  const nothing = () => {};

  test.each<[string, number, Fields, string]>([
    [
      'configEntries',
      RECORD_TYPE.configEntry,
      { Kind: bytes('proxy-defaults'), Name: bytes('global') },
      'proxy-defaults/global',
    ],
    ['preparedQueries', RECORD_TYPE.preparedQuery, { ID: bytes('q') }, 'q'],
    ['tokens', RECORD_TYPE.aclToken, { AccessorID: bytes('a'), SecretID: bytes('s') }, 'a'],
    ['policies', RECORD_TYPE.aclPolicy, { ID: bytes('p') }, 'p'],
    ['roles', RECORD_TYPE.aclRole, { ID: bytes('r') }, 'r'],
  ])('%s are told apart by their ids, and differ by what is in them', (kind, type, record, id) => {
    const added = (more: Fields) => (known: SnapshotOthers) => known.add(type, { ...record, ...more });
    expect(differ(nothing, added({}))).toEqual([`${kind} added ${id}`]);
    expect(differ(added({}), nothing)).toEqual([`${kind} removed ${id}`]);
    expect(differ(added({ Text: bytes('a') }), added({ Text: bytes('b') }))).toEqual([
      `${kind} changed ${id}`,
    ]);
    // When it was written, and what is not there, are no part of it.
    const when = { CreateIndex: 1, ModifyIndex: 2, CreateTime: 3, Hash: bytes('h'), Links: [], Meta: null };
    expect(differ(added({}), added(when))).toEqual([]);
  });

  test('records of another type are none', () => {
    expect(differ(nothing, (known) => known.add(RECORD_TYPE.session, { ID: bytes('s') }))).toEqual([]);
  });

  test('services are told where their node has no agent, by name, node and id', () => {
    const service = (id: string, port: number) => ({
      service: 'web',
      node: 'n',
      id,
      content: { Port: port },
    });
    const at =
      (check: string, ...services: ReturnType<typeof service>[]) =>
      (known: SnapshotOthers) => {
        known.node({ node: 'n', content: {} });
        for (const one of services) known.service(one);
        known.check({ node: 'n', id: check });
        known.node({ node: 'next', content: {} });
      };
    expect(differ(nothing, at('disk', service('web', 1), service('web-2', 1)))).toEqual([
      'agentlessServices added web at n',
      'agentlessServices added web at n, web-2',
    ]);
    expect(differ(nothing, at('serfHealth', service('web', 1)))).toEqual([]);
    expect(differ(at('disk', service('web', 1)), at('disk', service('web', 2)))).toEqual([
      'agentlessServices changed web at n',
    ]);
    // An agent at the node before is none at the next one.
    const both = (known: SnapshotOthers) => {
      at('serfHealth', service('web', 1))(known);
      known.service({ ...service('web', 1), node: 'next' });
    };
    expect(differ(nothing, both)).toEqual(['agentlessServices added web at next']);
  });
});

test('a record is counted by its type, and a registration by what it registers', () => {
  const types = [2, 3, 7, 17, 19, 22, 23, 1, 99].map((type) => countedAs(type, {}));
  expect(types).toEqual([
    ...[
      'keys',
      'sessions',
      'preparedQueries',
      'tokens',
      'policies',
      'configEntries',
      'roles',
      'others',
      'others',
    ],
  ]);
  const registered = [
    {},
    { Service: null, Check: undefined },
    { Service: {} },
    { Check: {} },
    { Service: {}, Check: {} },
  ];
  expect(registered.map((record) => countedAs(0, record))).toEqual([
    'nodes',
    'nodes',
    'services',
    'checks',
    'services',
  ]);
});

test('a check has its node and its id; what registers none has none', () => {
  expect(checkOf({ Node: bytes('a'), Check: { CheckID: bytes('serfHealth') } })).toEqual({
    node: 'a',
    id: 'serfHealth',
  });
  expect(checkOf({ Node: bytes('a'), PeerName: bytes('east'), Check: {} })).toEqual({
    node: 'a of peer east',
    id: '',
  });
  for (const Check of [undefined, null, [], 'x'])
    expect(checkOf({ Node: bytes('a'), Check })).toBeUndefined();
});
