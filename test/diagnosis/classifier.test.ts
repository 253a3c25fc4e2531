import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Classifier, type Sighting, verdictOn } from '../../src/diagnosis/classifier.ts';
import type { Subject, Symptom } from '../../src/diagnosis/symptom.ts';
import { subject, symptom } from './fixture.ts';

const NOBODY = new Set<string>();

describe('Classifier', () => {
  test('remembers since when a trouble is there, whatever it calls itself', () => {
    const classifier = new Classifier();
    classifier.observe([symptom({ what: 'ErrImagePull: not found' })], NOBODY, 1_000);
    classifier.observe([symptom({ what: 'ImagePullBackOff: not found' })], NOBODY, 9_000);
    expect(classifier.current()).toMatchObject([{ sinceMs: 1_000, what: 'ImagePullBackOff: not found' }]);
  });

  test('forgets it when the pod is ready', () => {
    const classifier = new Classifier();
    classifier.observe([symptom()], NOBODY, 1_000);
    classifier.observe([], new Set(['u0']), 2_000);
    classifier.observe([symptom()], NOBODY, 3_000);
    expect(classifier.current()).toMatchObject([{ sinceMs: 3_000 }]);
  });

  test('one that hides between two tries goes on; one that stays away starts again', () => {
    const classifier = new Classifier();
    classifier.observe([symptom()], NOBODY, 0);
    classifier.observe([], NOBODY, 10_000);
    expect(classifier.current()).toEqual([]);
    classifier.observe([symptom()], NOBODY, 14_000);
    expect(classifier.current()).toMatchObject([{ sinceMs: 0 }]);
    classifier.observe([], NOBODY, 30_000);
    classifier.observe([symptom()], NOBODY, 40_000);
    expect(classifier.current()).toMatchObject([{ sinceMs: 40_000 }]);
  });

  test('vague words do not take back clear ones', () => {
    const classifier = new Classifier();
    classifier.observe([symptom({ what: 'not found' })], NOBODY, 0);
    classifier.observe(
      [symptom({ what: 'Back-off', class: 'transient', graceMs: 120_000, vague: true })],
      NOBODY,
      1,
    );
    expect(classifier.current()).toMatchObject([{ what: 'not found', class: 'hopeless', graceMs: 15_000 }]);
  });

  test('what turns hopeless is final from then on', () => {
    const classifier = new Classifier();
    classifier.observe([symptom({ graceMs: Number.POSITIVE_INFINITY })], NOBODY, 0);
    classifier.observe([symptom({ graceMs: 0 })], NOBODY, 14_000);
    classifier.observe([symptom({ graceMs: 0 })], NOBODY, 20_000);
    expect(classifier.current()).toMatchObject([{ sinceMs: 0, dueMs: 14_000 }]);
  });

  test('the longest overdue comes first, and of those the one that was seen first', () => {
    const classifier = new Classifier();
    const of = (uid: string, graceMs: number) => symptom({ graceMs, subject: { ...subject, uid } });
    classifier.observe([of('late', 9_000), of('b', 6_000)], NOBODY, 0);
    classifier.observe([of('late', 9_000), of('b', 6_000), of('a', 5_000)], NOBODY, 1_000);
    classifier.observe([of('c', 0), of('late', 9_000), of('a', 5_000), of('b', 6_000)], NOBODY, 2_000);
    expect(classifier.current().map((one) => one.subject.uid)).toEqual(['c', 'b', 'a', 'late']);
    classifier.observe([of('a', 5_000), of('b', 6_000)], NOBODY, 3_000);
    expect(classifier.current().map((one) => one.subject.uid)).toEqual(['b', 'a']);
  });

  test('a longer grace counts from when the trouble began', () => {
    const classifier = new Classifier();
    classifier.observe([symptom({ graceMs: 1_000 })], NOBODY, 0);
    classifier.observe([symptom({ graceMs: 5_000 })], NOBODY, 9_000);
    expect(classifier.current()).toMatchObject([{ sinceMs: 0, dueMs: 5_000 }]);
  });

  test('a pod that is well says nothing of its agent', () => {
    const classifier = new Classifier();
    const ofAgent = symptom({ subject: { ...subject, kind: 'Agent' } });
    classifier.observe([ofAgent], new Set(['u0']), 0);
    expect(classifier.current()).toHaveLength(1);
  });

  test('containers of one pod have troubles of their own', () => {
    const classifier = new Classifier();
    const of = (container: string) => symptom({ subject: { ...subject, container } });
    classifier.observe([of('a'), of('b')], NOBODY, 0);
    expect(classifier.current()).toHaveLength(2);
  });

  test('another pod of the same name starts again', () => {
    const classifier = new Classifier();
    classifier.observe([symptom()], NOBODY, 0);
    classifier.observe([symptom({ subject: { ...subject, uid: 'u1' } })], NOBODY, 5_000);
    expect(classifier.current()).toMatchObject([{ sinceMs: 5_000 }]);
  });
});

const SCOPE = { clients: 10, clientsReady: 7, maxUnreadyClients: 0 };

function sighting(change: Partial<Symptom> = {}, sinceMs = 0): Sighting {
  const made = symptom(change);
  return { ...made, sinceMs, dueMs: sinceMs + made.graceMs, lastMs: sinceMs, round: 1 };
}

function client(index: number): Subject {
  return { kind: 'Pod', name: `consul-client-${index}`, uid: `c${index}`, role: 'client' };
}

describe('the verdict', () => {
  test('on a server comes when its grace is over, not sooner', () => {
    expect(verdictOn([sighting()], SCOPE, 14_999)).toEqual([]);
    expect(verdictOn([sighting()], SCOPE, 15_000)).toHaveLength(1);
  });

  test('never comes on what may last', () => {
    const lasting = sighting({ graceMs: Number.POSITIVE_INFINITY });
    expect(verdictOn([lasting], SCOPE, Number.MAX_SAFE_INTEGER)).toEqual([]);
  });

  test('counts the clients that may be missing', () => {
    const two = [0, 1].map((index) => sighting({ subject: client(index) }));
    expect(verdictOn(two, { ...SCOPE, maxUnreadyClients: 2 }, 60_000)).toEqual([]);
    expect(verdictOn(two, { ...SCOPE, maxUnreadyClients: 1 }, 60_000)).toHaveLength(2);
  });

  test('comes when the first clients all fail, however many may be missing', () => {
    const three = [0, 1, 2].map((index) => sighting({ subject: client(index) }));
    const scope = { ...SCOPE, maxUnreadyClients: 5 };
    expect(verdictOn(three, { ...scope, clientsReady: 0 }, 60_000)).toHaveLength(3);
    expect(verdictOn(three, { ...scope, clientsReady: 1 }, 60_000)).toEqual([]);
    expect(verdictOn(three.slice(1), { ...scope, clientsReady: 0 }, 60_000)).toEqual([]);
  });

  test('comes when the pods of the clients are not even made', () => {
    const workload: Subject = { kind: 'StatefulSet', name: 'consul-client', uid: 's', role: 'client' };
    const scope = { ...SCOPE, maxUnreadyClients: 10 };
    expect(verdictOn([sighting({ subject: workload })], scope, 60_000)).toHaveLength(1);
  });

  test('on agents counts as that on the pods they run in', () => {
    const agent: Subject = { ...client(0), kind: 'Agent' };
    const scope = { ...SCOPE, maxUnreadyClients: 1 };
    expect(
      verdictOn([sighting({ subject: agent }), sighting({ subject: client(0) })], scope, 60_000),
    ).toEqual([]);
    const workload: Subject = { kind: 'StatefulSet', name: 'consul-client', uid: 's', role: 'client' };
    const both = [sighting({ subject: workload }), sighting({ subject: agent })];
    expect(verdictOn(both, { ...SCOPE, maxUnreadyClients: 5 }, 60_000)).toHaveLength(2);
  });

  test('on servers comes before that on clients', () => {
    const both = [sighting({ subject: client(0) }), sighting()];
    expect(verdictOn(both, SCOPE, 60_000)).toEqual([both[1]]);
  });
});

test('in whatever order pods show their troubles, the same are seen and the verdict is the same', () => {
  const anySymptom = fc
    .record({
      role: fc.constantFrom('server', 'client'),
      index: fc.nat(3),
      graceMs: fc.constantFrom(0, 10_000, Number.POSITIVE_INFINITY),
    })
    .map(({ role, index, graceMs }) =>
      symptom({
        graceMs,
        subject: { kind: 'Pod', name: `${role}-${index}`, uid: `${role}${index}`, role: role as 'server' },
      }),
    );
  const rounds = fc.array(fc.uniqueArray(anySymptom, { selector: ({ subject }) => subject.uid }), {
    minLength: 1,
    maxLength: 6,
  });
  let verdicts = 0;
  fc.assert(
    fc.property(rounds, fc.infiniteStream(fc.nat(20_000)), (all, steps) => {
      const one = new Classifier();
      const other = new Classifier();
      let nowMs = 0;
      for (const symptoms of all) {
        nowMs += steps.next().value ?? 0;
        one.observe(symptoms, NOBODY, nowMs);
        other.observe(symptoms.toReversed(), NOBODY, nowMs);
        const names = (sightings: readonly Sighting[]) => sightings.map(({ subject }) => subject.uid).sort();
        const [first, second] = [one, other].map((each) => verdictOn(each.current(), SCOPE, nowMs));
        expect(names(one.current())).toEqual(symptoms.map(({ subject }) => subject.uid).sort());
        expect(names(first ?? [])).toEqual(names(second ?? []));
        for (const { sinceMs, graceMs } of first ?? [])
          expect(nowMs - sinceMs).toBeGreaterThanOrEqual(graceMs);
        verdicts += first?.length ?? 0;
      }
    }),
  );
  expect(verdicts).toBeGreaterThan(50);
});
