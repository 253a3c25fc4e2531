import { expect, test } from 'vitest';
import { OpenTroubles } from '../../src/session/open-troubles.ts';

test('a proof that failed is open until its owner takes it back, and an equal one stays', () => {
  const troubles = new OpenTroubles();
  const failed = { title: 'Key', trouble: 'no answer' };
  const [first, second] = [troubles.proof(failed), troubles.proof(failed)];
  expect(troubles.proofs()).toEqual([failed, failed]);
  first();
  first();
  expect(troubles.proofs()).toEqual([failed]);
  second();
  expect(troubles.proofs()).toEqual([]);
});

test('suspicions are told as they are when they are asked for, those of who came last first', () => {
  const troubles = new OpenTroubles();
  let pods = ['Pod/a is stopping', 'Pod/b is stopping'];
  const rollout = troubles.suspect(() => ['the rollout hangs']);
  const removal = troubles.suspect(() => pods);
  expect(troubles.suspicions()).toEqual(['Pod/a is stopping', 'Pod/b is stopping', 'the rollout hangs']);
  pods = [];
  expect(troubles.suspicions()).toEqual(['the rollout hangs']);
  pods = ['Pod/c is stopping'];
  removal();
  expect(troubles.suspicions()).toEqual(['the rollout hangs']);
  rollout();
  expect(troubles.suspicions()).toEqual([]);
});

test('what one owner takes back is not that of another who says the same', () => {
  const troubles = new OpenTroubles();
  const lines = () => ['slow'];
  const first = troubles.suspect(lines);
  troubles.suspect(lines);
  first();
  expect(troubles.suspicions()).toEqual(['slow']);
});
