import { expect, test } from 'vitest';
import type { Census } from '../../../src/consul/catalog/census.ts';
import { sweepFailure, unknownIds } from '../../../src/steps/sweep/asked.ts';
import type { Finding } from '../../../src/steps/sweep/finding.ts';

const finding = (change: Partial<Finding>): Finding => ({
  ...{
    class: 'named',
    nodes: ['a'],
    evidence: 'it is there',
    remedy: 'agent',
    why: 'it lasts',
    counts: true,
  },
  outcome: 'removed',
  ...change,
});
const census = {
  instances: [
    { node: 'a', id: 'web-1', name: 'web', address: '', port: 80 },
    { node: 'b', id: 'web-2', name: 'web', address: '', port: 80 },
  ],
  held: new Map([['a', new Set(['web-1', 'orders'])]]),
} as unknown as Census;
const unknown = (id: string, findings: Finding[] = []) =>
  unknownIds(new Set([id]), findings, { census, asked: 3 });

test.each([
  ['web-1', [finding({ service: 'web-1' })], []],
  ['ordres', [], ['3 agents and the catalog have no service with the id ordres; did you mean orders?']],
  ['web', [], ['have no service with the id web; it is the name of a service, whose ids are web-1, web-2']],
  ['database', [], [/have no service with the id database$/]],
])(
  'an id that `deregister` names and nobody has, with what may have been meant: %s',
  (id, findings, expected) => {
    const told = unknown(id, findings);
    expect(told).toHaveLength(expected.length);
    for (const words of expected) {
      expect(told).toContainEqual(
        words instanceof RegExp ? expect.stringMatching(words) : expect.stringContaining(words),
      );
    }
  },
);

test.each<[string, Finding[], string | undefined]>([
  ['nothing', [], undefined],
  ['what is gone', [finding({ service: 'x' })], undefined],
  ['what has come alive', [finding({ service: 'x', outcome: 'kept' })], undefined],
  [
    'what nobody asked for and nothing is done about',
    [finding({ class: 'failed', remedy: 'none' })],
    undefined,
  ],
  [
    'what came back',
    [finding({ service: 'x', outcome: 'returned' }), finding({})],
    'service x at a came back',
  ],
  ['what did not go', [finding({ class: 'synthetic', outcome: 'stayed' })], 'node a did not go'],
  [
    'what was asked for and cannot be removed',
    [finding({ service: 'x', remedy: 'none', outcome: 'kept' })],
    'service x at a cannot be removed from here',
  ],
])('the verdict of a sweep on %s', (_, findings, what) => {
  expect(sweepFailure(findings)?.what).toBe(what);
  if (what === undefined) return;
  expect(sweepFailure(findings)).toMatchObject({ reason: 'ghosts', hint: expect.any(String) });
});
