import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { PlannedObject } from '../../src/kubernetes/apply/plan.ts';
import { lookAtRegistered } from '../../src/modes/registered-before.ts';
import { workload } from '../change/fixture.ts';
import { ProofWorld } from '../steps/proof/proof-world.ts';

const WARNING = /^Servers without volumes are replaced, and what is registered there goes with them: .*web/;
const [BEFORE, AFTER] = ['consul:1', 'consul:2'].map((image) => workload({ image, claims: false }));

/** What is warned of where the servers get another image, and `web` is registered at this node. */
async function warnings(change: Partial<Config>, step: Partial<PlannedObject>, node = 'consul-server-1') {
  const { run, workloads, agents } = new ProofWorld(change, 0);
  const catalog = new Map([['x', { kind: 'service', node, id: 'web', name: 'web' }]]);
  const tools = {
    ...{ workloads, agents, state: { begin: async () => undefined } },
    conservation: { begin: async () => undefined, catalog },
  };
  const planned = { action: 'change', live: BEFORE, desired: AFTER, predicted: AFTER, ...step };
  const deploy = { planned: { objects: [planned], warnings: [] }, takeovers: [] };
  expect(await lookAtRegistered(run, {} as never, deploy as never, tools as never)).toBeUndefined();
  return run.known.warnings;
}

describe('what is registered at servers without volumes', () => {
  const without: Partial<Config> = { serverStorage: { kind: 'ephemeral' } };

  test('goes with pods that are replaced, which is told before', async () => {
    expect(await warnings(without, {})).toEqual([expect.stringMatching(WARNING)]);
  });

  test.each<[string, Partial<Config>, Partial<PlannedObject>, string?]>([
    ['they have a new image in the pods that they have', without, { imageInPods: 'consul:2' }],
    ['they have volumes', { serverStorage: { kind: 'persistent', size: '1Gi' } }, {}],
    ['nothing is registered there', without, {}, 'consul-client-0'],
  ])('stays where %s', async (_, change, step, node) => {
    expect(await warnings(change, step, node)).toEqual([]);
  });
});
