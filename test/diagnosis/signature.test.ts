import { expect, test } from 'vitest';
import { describeSignature, signatures } from '../../src/diagnosis/signature.ts';
import type { Subject } from '../../src/diagnosis/symptom.ts';
import { symptom } from './fixture.ts';

function at(name: string, node: string, what: string, role: Subject['role'] = 'client') {
  const subject: Subject = { kind: 'Pod', name, uid: `uid-${name}`, role, node };
  return { ...symptom({ subject, what }), sinceMs: 0, dueMs: 0, lastMs: 0, round: 1 };
}

test('the same trouble of several pods is told once, with the node they share', () => {
  const pods = [10, 2, 1, 0].map((index) =>
    at(
      `consul-client-${index}`,
      'n3',
      `ErrImagePull: unauthorized (try ${index} for consul-client-${index})`,
    ),
  );
  const found = signatures(pods);
  expect(found).toHaveLength(1);
  expect(found.map(describeSignature)).toEqual([
    '4 pods (consul-client-0, consul-client-1, consul-client-2, …): ErrImagePull: unauthorized (try 0 for consul-client-0), all on n3',
  ]);
});

test('three are all named, without dots', () => {
  const pods = [0, 1, 2].map((index) => at(`consul-client-${index}`, `n${index}`, 'x'));
  expect(signatures(pods).map(describeSignature)).toEqual([
    '3 pods (consul-client-0, consul-client-1, consul-client-2): x',
  ]);
});

test('uids of pods make no difference, and words do', () => {
  const uids = ['0f8fad5b-d9cb-469f-a165-70867728950e', '7c9e6679-7425-40de-944b-e07fc1f90ae7'];
  const pods = uids.map((uid, index) => at(`consul-client-${index}`, 'n1', `volume pvc-${uid} is gone`));
  expect(signatures(pods)).toHaveLength(1);
  expect(signatures([...pods, at('consul-client-2', 'n1', 'volume pvc-face is gone')])).toHaveLength(2);
});

test('containers of one name have a trouble in common, those of others have not', () => {
  const of = (name: string, container: string) => {
    const found = at(name, 'n1', 'x');
    return { ...found, subject: { ...found.subject, container } };
  };
  const found = signatures([
    of('consul-client-0', 'a'),
    of('consul-client-1', 'a'),
    of('consul-client-2', 'b'),
  ]);
  expect(found.map(({ subjects }) => subjects.length)).toEqual([2, 1]);
});

test('nodes come by their numbers', () => {
  const [found] = signatures(
    ['n10', 'n9', 'n10'].map((node, index) => at(`consul-client-${index}`, node, 'x')),
  );
  expect(found?.nodes).toEqual(['n9', 'n10']);
});

test('on several nodes none is named', () => {
  const pods = [at('consul-client-0', 'n1', 'x'), at('consul-client-1', 'n2', 'x')];
  expect(signatures(pods).map(describeSignature)).toEqual(['2 pods (consul-client-0, consul-client-1): x']);
});

test('servers come first, then what most pods have', () => {
  const found = signatures([
    at('consul-client-0', 'n1', 'not found'),
    at('consul-client-1', 'n1', 'unauthorized'),
    at('consul-client-2', 'n1', 'unauthorized'),
    at('consul-server-0', 'n2', 'too big', 'server'),
  ]);
  expect(found.map(({ subjects }) => subjects)).toEqual([
    ['consul-server-0'],
    ['consul-client-1', 'consul-client-2'],
    ['consul-client-0'],
  ]);
});

test('servers and clients with the same trouble are told together, a server first', () => {
  const [found] = signatures([
    at('consul-client-0', 'n1', 'not found'),
    at('consul-server-1', 'n2', 'not found', 'server'),
    at('consul-server-0', 'n1', 'not found', 'server'),
  ]);
  expect(found?.first.subject.name).toBe('consul-server-0');
  expect(found?.subjects).toEqual(['consul-server-0', 'consul-server-1', 'consul-client-0']);
});

test('one that cannot heal speaks for those of which less has been seen', () => {
  const early = { ...at('consul-client-0', 'n1', 'exit code 3, 2 times'), dueMs: Number.POSITIVE_INFINITY };
  const [found] = signatures([early, at('consul-client-1', 'n1', 'exit code 3, 3 times')]);
  expect(found && describeSignature(found)).toBe(
    '2 pods (consul-client-0, consul-client-1): exit code 3, 3 times, all on n1',
  );
});
