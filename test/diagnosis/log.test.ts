import { expect, test } from 'vitest';
import { logSymptom, mentions, tellingLines, witnessSymptom } from '../../src/diagnosis/log.ts';
import { subject } from './fixture.ts';

const line = (text: string) => `2026-11-23T10:00:00.000Z [ERROR] agent: ${text}`;

test.each([
  [
    'memberlist: Decrypt packet failed: No installed keys could decrypt the message from=10.0.0.1:8301',
    'gossip-key',
  ],
  ['failed to join: Remote state is encrypted and encryption is not configured', 'gossip-key'],
  ["Join failed: Member 'consul-server-0' part of wrong datacenter 'dc1'", 'wrong-datacenter'],
  [
    'refusing to rejoin cluster because server has been offline for more than the configured server_rejoin_age_max (168h0m0s)',
    'stale-data',
  ],
  ['raft: failed to append to logs: write /consul/data/raft/raft.db: no space left on device', 'disk-full'],
  ['serf: Node name conflicts with another node at 10.0.0.9:8301. Names must be unique!', 'node-conflict'],
  ['rpcclient: tls: failed to verify certificate: x509: certificate signed by unknown authority', 'tls'],
  [
    "Coordinate update blocked by ACLs: Permission denied: token with AccessorID 'x' lacks permission 'node:write'",
    'acl-denied',
  ],
  ['==> failed to parse /consul/config/x.json: 1:3: illegal char', 'invalid-config'],
])('%s', (text, reason) => {
  const of = { ...subject, role: reason === 'node-conflict' ? 'client' : 'server' } as const;
  const found = logSymptom(of, [line('all fine'), line(text), line('shutting down')].join('\n'), true);
  const graceMs = reason === 'node-conflict' ? 75_000 : 10_000;
  expect(found).toMatchObject({ reason, class: 'hopeless', graceMs, subject: of, explains: true });
  expect(found?.what).toContain(text.replace(/^==> /, '').slice(0, 60));
  expect(found?.what).not.toContain('2026-11-23');
});

test('a server that its guard holds back', () => {
  const server = { ...subject, role: 'server' } as const;
  const text =
    'consul-deploy: not started: the data directory is empty, and consul-server-1 still count this server as a voter.';
  const found = logSymptom(server, `2026-11-23T10:00:00.000Z [WARN] ${text}`, false);
  expect(found).toMatchObject({
    reason: 'data-lost',
    graceMs: 30_000,
    hint: expect.stringContaining('leader'),
  });
  expect(found?.what).toContain('consul-server-1 still count this server');
  const started = `2026-11-23T10:00:00.000Z [WARN] ${text}\n2026-11-23T10:01:00.000Z [INFO]  agent: joined`;
  expect(logSymptom(server, started, false)).toBeUndefined();
});

test('what ACLs denied a node is past once it has gone through, and nothing else is', () => {
  const denied = line('Node info update blocked by ACLs: node=id accessorID="anonymous token"');
  const service = line('Service registration blocked by ACLs: service=web accessorID=""');
  const synced = '2026-11-23T10:00:01.000Z [INFO]  agent: Synced node info';
  const said = (...lines: string[]) => logSymptom(subject, lines.join('\n'), false)?.what;
  expect(said(denied)).toContain('Node info update blocked');
  expect(said(denied, synced)).toBeUndefined();
  expect(said(synced, denied)).toContain('Node info update blocked');
  expect(said(service, synced)).toContain('Service registration blocked');
});

test('a server whose address of version 6 another one complains of', () => {
  const said = line('memberlist: No installed keys could decrypt the message from=[fd00::7]:4711');
  expect(mentions(said, { name: 'consul-client-1', ip: 'fd00::7' })).toBe(true);
  expect(mentions(said, { name: 'consul-client-1', ip: 'fd00::8' })).toBe(false);
  expect(mentions(said, { name: 'consul-client-1', ip: undefined })).toBe(false);
  expect(mentions(line('from=:1'), { name: 'consul-client-1', ip: undefined })).toBe(false);
});

test.each([
  ['2026-11-23T10:00:00.000Z [ERROR]   agent: x509: no', 'its log says: agent: x509: no'],
  ['==> x509: no', 'its log says: x509: no'],
  ['* x509: no', 'its log says: x509: no'],
  ['  | \\t* x509: no', 'its log says: x509: no'],
  ['    * x509: no', 'its log says: x509: no'],
  ['x509: no ==> exit * 1', 'its log says: x509: no ==> exit * 1'],
  [
    'node [X] x509: at 2026-11-23T10:00:00.000Z [ERROR] no',
    'its log says: node [X] x509: at 2026-11-23T10:00:00.000Z [ERROR] no',
  ],
])('of a line what it says is told, without time, level and marks: %s', (text, what) => {
  expect(logSymptom(subject, text, true)).toMatchObject({ what, alike: 'log' });
});

test('lines without a time stay, however many with one there are', () => {
  const at = (second: number) => `2026-11-23T10:00:${second}.000Z [ERROR] agent: else`;
  expect(logSymptom(subject, ['x509: no', at(10), at(50)].join('\n'), true)?.reason).toBe('tls');
  // A time in the middle of a line is not when it was written.
  const about = 'x509: expired, current time 2026-11-23T09:00:00Z is after';
  expect(logSymptom(subject, [about, at(50)].join('\n'), true)?.reason).toBe('tls');
});

test('a log that names no cause says nothing', () => {
  expect(logSymptom(subject, line('agent: Synced node info'), true)).toBeUndefined();
  // Of somebody who asked without a token, as the agent's own liveness probe does.
  const asked =
    'agent.http: Request error: method=PUT url=/v1/agent/join/10.0.0.7 from=127.0.0.1:3304 error="Permission denied: anonymous token lacks permission \'agent:write\'"';
  expect(logSymptom(subject, line(asked), true)).toBeUndefined();
  expect(logSymptom(subject, '', true)).toBeUndefined();
});

test.each([
  ["Member 'consul-client-1' part of wrong datacenter 'dc9'", 'wrong-datacenter'],
  [
    'memberlist: failed to receive: No installed keys could decrypt the message from=10.0.0.7:4711',
    'gossip-key',
  ],
])('a server that complains of a client has no trouble of its own: %s', (text, reason) => {
  const client = { name: 'consul-client-1', ip: '10.0.0.7' };
  const server = { ...subject, role: 'server' } as const;
  const ofClient = (one: string) => mentions(one, client);
  expect(logSymptom(server, line(text), false, ofClient)).toBeUndefined();
  const another = text.replace('client-1', 'server-2').replace('10.0.0.7', '10.0.0.77');
  expect(logSymptom(server, line(another), false, ofClient)?.reason).toBe(reason);
});

test.each([
  ['127.0.0.1', undefined],
  ['[::1]', undefined],
  ['10.0.0.127', 'gossip-key'],
])('plaintext from %s is %s: from the agent itself it is the question what it takes', (from, reason) => {
  const text = `memberlist: failed to receive: Encryption is configured but remote state is not encrypted from=${from}:47976`;
  expect(logSymptom(subject, line(text), false)?.reason).toBe(reason);
});

test.each([
  ['127.0.0.1', undefined],
  ['10.0.0.127', 'tls'],
])(
  'an agent that shows no certificate, from %s, is %s: so this action asks what a server shows',
  (from, reason) => {
    const text = `agent.server.rpc: failed to read byte: conn=from=${from}:41560 error="tls: client didn't provide a certificate"`;
    expect(logSymptom(subject, line(text), false)?.reason).toBe(reason);
    const other = line('agent: something else');
    const told = reason ? [line(text)] : [other];
    expect(tellingLines([other, line(text)].join('\n'), 1)).toEqual(told);
  },
);

test('the latest line of a cause counts', () => {
  const found = logSymptom(subject, [line('x509: first'), line('x509: second')].join('\n'), true);
  expect(found?.what).toContain('second');
});

test('what is told at a level at which nothing is wrong is no cause', () => {
  expect(logSymptom(subject, line('x509: certificate').replace('ERROR', 'INFO'), true)).toBeUndefined();
});

test('an agent that has given its name up says so once, and it stays so; other complaints pass', () => {
  const client = { ...subject, role: 'client' } as const;
  const later = (text: string) => `2026-11-23T10:05:00.000Z [INFO]  ${text}`;
  const log = (text: string) =>
    [`2026-11-23T10:00:00.000Z [WARN]  agent: ${text}`, later('agent: Synced service')].join('\n');
  const lost = log('serf: minority in name conflict resolution, quiting [0 / 3]');
  expect(logSymptom(client, lost, false)?.reason).toBe('node-conflict');
  expect(logSymptom(client, log('serf: Node name conflicts with another node'), false)).toBeUndefined();
});

test('the last words of an agent mean nothing while it runs', () => {
  const log = line('==> failed to parse /consul/config/x.json');
  expect(logSymptom(subject, log, true)?.reason).toBe('invalid-config');
  expect(logSymptom(subject, log, false)).toBeUndefined();
});

test('a client that servers hang up on learns from them why', () => {
  const said = 'Non-TLS connection attempted with VerifyIncoming set: conn=from=10.0.1.1:42029';
  const client = { ...subject, role: 'client' } as const;
  const log = [line('all fine'), line(said)].join('\n');
  const found = witnessSymptom(client, '10.0.1.1', 'consul-server-0', log);
  expect(found).toMatchObject({
    reason: 'tls',
    class: 'hopeless',
    graceMs: 10_000,
    subject: client,
    explains: true,
    hint: expect.stringContaining('`tls: true`'),
  });
  expect(found?.what).toBe(`the log of consul-server-0 says of it: agent: ${said}`);
  // Of another whose address begins alike, and of something that is nobody's fault.
  expect(witnessSymptom(client, '10.0.1.11', 'consul-server-0', log)).toBeUndefined();
  expect(witnessSymptom(client, '0.0.1.1', 'consul-server-0', log)).toBeUndefined();
  expect(
    witnessSymptom(client, '10.0.1.1', 'consul-server-0', line('conn=from=10.0.1.1:42029')),
  ).toBeUndefined();
});

test('of a log those lines are shown that tell of something wrong, or else the last', () => {
  const head = "           Node name: 'consul-server-0'";
  const fine = line('agent: Synced').replace('ERROR', 'INFO');
  expect(tellingLines([head, line('one'), fine, line('two'), '==> exit'].join('\n'), 2)).toEqual([
    line('two'),
    '==> exit',
  ]);
  expect(tellingLines([head, fine].join('\n'), 5)).toEqual([head, fine]);
  const all = [head, '', fine, line('one'), '   ', '==> exit', ''].join('\n');
  expect(tellingLines(all, 9)).toEqual([line('one'), '==> exit']);
  expect(tellingLines([fine, '  ', ''].join('\n'), 9)).toEqual([fine]);
  // Of the agent itself only the questions of this action are left out.
  const own = line('http: something else from=127.0.0.1:4711');
  expect(tellingLines([own, fine].join('\n'), 9)).toEqual([own]);
});

test('a server that comes back conflicts with what it was before, and that is no cause', () => {
  expect(logSymptom(subject, line('serf: Node name conflicts with another node'), true)).toBeUndefined();
});

test('what was said more than half a minute before the last line is over', () => {
  const at = (seconds: number, text: string) =>
    `2026-11-23T10:00:${String(seconds).padStart(2, '0')}.000Z [ERROR] agent: ${text}`;
  const said = (seconds: number) =>
    [at(seconds, 'x509: unknown authority'), at(40, 'something else')].join('\n');
  expect(logSymptom(subject, said(9), true)).toBeUndefined();
  expect(logSymptom(subject, said(11), true)?.reason).toBe('tls');
});
