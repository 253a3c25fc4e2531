import { expect, test } from 'vitest';
import { pause } from '../../../src/session/pause.ts';
import { untilServed } from '../../../src/steps/encryption/served.ts';
import { EncryptionWorld } from './encryption-world.ts';

test('of many agents only some are asked at a time whether they are served, and each of them is', async () => {
  const { run, tools, agents } = await EncryptionWorld.start({}, { clients: 40 });
  const pods = agents.map(({ pod }) => pod);
  const asked = new Set<string>();
  let [now, most] = [0, 0];
  const client = ({ name }: { name: string }) => ({
    get: async () => {
      asked.add(name);
      now += 1;
      most = Math.max(most, now);
      await pause(5, run.signal);
      now -= 1;
    },
  });
  await untilServed(run, { ...tools, agents: { client } as never }, pods);
  expect(asked.size).toBe(43);
  expect(most).toBe(16);
});
