import { expect, test } from 'vitest';
import { causeOf } from '../../src/diagnosis/cause.ts';
import type { Sighting } from '../../src/diagnosis/classifier.ts';
import { describeSignature, signatures } from '../../src/diagnosis/signature.ts';
import type { Subject, Symptom } from '../../src/diagnosis/symptom.ts';
import { symptom } from './fixture.ts';

function seen(name: string, change: Partial<Symptom>, sinceMs = 0): Sighting {
  const subject: Subject = { kind: 'Agent', name, uid: `uid-${name}`, role: 'server' };
  return { ...symptom({ subject, ...change }), sinceMs, dueMs: 0, lastMs: 0, round: 1 };
}

function told(all: Sighting[], decided: Sighting[]) {
  const cause = causeOf(signatures(all), new Set(decided));
  return cause && { what: describeSignature(cause), name: cause.first.subject.name };
}

const cut = (name: string, sinceMs = 0) =>
  seen(name, { reason: 'cut-off', what: 'it sees no leader' }, sinceMs);

test('what began long after what was decided on is named last', () => {
  const [zero, two] = [cut('consul-server-0', 70_000), cut('consul-server-2')];
  expect(told([zero, two], [two])).toEqual({
    what: '2 pods (consul-server-2, consul-server-0): it sees no leader',
    name: 'consul-server-2',
  });
});

test('what began together is told in the order of the names, whoever was due first', () => {
  const all = [cut('consul-server-0', 3_000), cut('consul-server-1'), cut('consul-server-2', 1_000)];
  expect(told(all, all.slice(1, 2))?.name).toBe('consul-server-0');
});

test('what has been seen in full speaks for those of which less has been seen', () => {
  const twice = { ...cut('consul-client-0'), dueMs: Number.POSITIVE_INFINITY, what: 'it ended 2 times' };
  const often = { ...cut('consul-client-1', 500), what: 'it ended 3 times' };
  expect(told([twice, often], [often])).toEqual({
    what: '2 pods (consul-client-0, consul-client-1): it ended 3 times',
    name: 'consul-client-1',
  });
});

test('a log that explains it stands before what it shows', () => {
  const shown = cut('consul-server-2');
  const log = seen('consul-server-2', { reason: 'tls', what: 'its log says: x509', explains: true });
  expect(told([shown, log], [shown])?.what).toBe('consul-server-2: its log says: x509');
});

test('a log of the same subject stands before that of another, and one of the same role before none', () => {
  const shown = cut('consul-server-2');
  const log = (name: string, role: Subject['role'] = 'server'): Sighting => {
    const found = seen(name, { reason: 'tls', what: `the log of ${role} ${name} says`, explains: true });
    return { ...found, subject: { ...found.subject, role } };
  };
  const causeIn = (...logs: Sighting[]) => told([shown, ...logs], [shown])?.what;
  const [own, other] = [log('consul-server-2'), log('consul-server-1')];
  expect(causeIn({ ...other, reason: 'gossip-key', what: 'another' }, own)).toMatch(
    /^consul-server-2: the log/,
  );
  expect(causeIn(other)).toBe('consul-server-1: the log of server consul-server-1 says');
  expect(causeIn(log('consul-client-1', 'client'))).toBe('consul-server-2: it sees no leader');
  // It may be told of several, of which one is enough.
  const both = [own, other].map((one) => ({ ...one, what: 'its log says: x509' }));
  expect(causeIn(...both)).toBe('2 pods (consul-server-1, consul-server-2): its log says: x509');
  const mixed = [other, log('consul-client-1', 'client')].map((one) => ({
    ...one,
    what: 'its log says: x509',
  }));
  expect(causeIn(...mixed)).toBe('2 pods (consul-server-1, consul-client-1): its log says: x509');
});

test('what explains nothing stands before the same reason of others', () => {
  const [one, other] = [cut('consul-server-0'), { ...cut('consul-client-0'), what: 'something else' }];
  expect(told([one, other], [other])?.what).toBe('consul-client-0: something else');
});

test('what began 15 s after the first that was decided on began with it; what speaks for all is no latecomer', () => {
  const [zero, two] = [cut('consul-server-0', 15_000), cut('consul-server-2')];
  expect(told([zero, two], [zero, two])?.name).toBe('consul-server-0');
  const early = { ...cut('consul-server-2'), dueMs: Number.POSITIVE_INFINITY };
  expect(told([cut('consul-server-0', 70_000), early], [early])?.name).toBe('consul-server-2');
});

test('but not before the same reason seen directly', () => {
  const direct: Sighting = {
    ...seen('the servers', { reason: 'wrong-datacenter', what: 'consul-server-2 is in dc2, not dc1' }),
    subject: { kind: 'Servers', name: 'the servers', uid: '', role: 'server' },
  };
  const log = (name: string) =>
    seen(name, {
      reason: 'wrong-datacenter',
      what: 'its log says: part of wrong datacenter',
      explains: true,
    });
  const logs = [log('consul-server-2'), log('consul-client-1')];
  for (const decided of [[direct], logs]) {
    expect(told([...logs, direct], decided)?.what).toBe('the servers: consul-server-2 is in dc2, not dc1');
  }
});

test('nothing decided is no cause', () => {
  expect(told([cut('consul-server-0')], [])).toBeUndefined();
});
