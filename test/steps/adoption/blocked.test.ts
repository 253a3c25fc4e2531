import { expect, it } from 'vitest';
import { blockedOrdinals } from '../../../src/steps/adoption/blocked.ts';

const KINDS = { o: 'old', m: 'moved', '-': 'missing' } as const;

it.each<[string, number[]]>([
  ['ooo', []],
  ['mmo', []],
  // The one that is being replaced: those before it have moved.
  ['-oo', []],
  ['m-o', []],
  ['mm-', []],
  // One that ended by itself, behind one that has not moved.
  ['o-o', [1]],
  ['oo-', [2]],
  ['o--', [1, 2]],
  // In one batch with an old one it is made all the same.
  ['mo-', []],
  ['moo--', [3, 4]],
  ['mmm-o', []],
])('of old (o), moved (m) and missing (-) pods as %s these are made by nobody: %j', (pods, blocked) => {
  expect(blockedOrdinals([...pods].map((pod) => KINDS[pod as keyof typeof KINDS]))).toEqual(blocked);
});
