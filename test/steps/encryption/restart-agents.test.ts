import { describe, expect, test } from 'vitest';
import type { Allowance } from '../../../src/config/config.ts';
import { EncryptionWatch } from '../../../src/steps/encryption/encryption-watch.ts';
import { type RestartedAs, restartAgents } from '../../../src/steps/encryption/in-pods/restart-agents.ts';
import { hurried } from '../hurried.ts';
import { EncryptionWorld } from './encryption-world.ts';

const FILES = () => [{ secret: 'consul-gossip', file: 'gossip.revision', revision: undefined }];

async function cluster(clientMaxUnavailable: Allowance = { kind: 'count', count: 2 }, clients = 5) {
  const made = await EncryptionWorld.start({ clientMaxUnavailable }, { clients });
  const watch = new EncryptionWatch(made.run, made.tools, 'gossip');
  const restart = (as: Partial<RestartedAs> = {}) =>
    made.run.phase('encrypt', 'Encrypt', async () => {
      const isReached = async ({ name }: { name: string }) => !made.agent(name).isAway;
      const whole = { files: FILES, state: 'keyed', isReached, ...as };
      try {
        await restartAgents(made.run, { tools: made.tools, watch }, watch.pods(), whole);
      } finally {
        watch.close();
      }
    });
  return { made, restart };
}

const restarted = (made: EncryptionWorld) =>
  made.happened('restart').map((event) => event.slice('restart consul-'.length));

describe('agents that restart in their pods', () => {
  test('servers go one at a time, the leader last and after it has handed over; then clients, in waves', async () => {
    const { made, restart } = await cluster();
    made.leader = 1;
    const most = { away: 0 };
    made.before = () => {
      const away = made.agents.filter(({ isAway, isServer }) => isAway && !isServer).length;
      most.away = Math.max(most.away, away);
      return undefined;
    };
    await restart();
    // A second server that is away, and one that leads, would be told of here.
    expect(made.broken).toEqual([]);
    const all = restarted(made);
    expect(all.slice(0, 3)).toEqual(['server-0', 'server-2', 'server-1']);
    expect(made.happened('lead', 'restart').indexOf('lead consul-server-2')).toBe(2);
    expect(all.slice(3, 5).toSorted()).toEqual(['client-3', 'client-4']);
    expect(all.slice(5, 7).toSorted()).toEqual(['client-1', 'client-2']);
    expect(all.slice(7)).toEqual(['client-0']);
    expect(most.away).toBeLessThanOrEqual(2);
    const [phase] = made.run.result().phases;
    expect(phase?.steps?.map(({ name }) => name)).toEqual([
      ...['consul-server-0', 'consul-server-2', 'consul-server-1'],
      ...['clients 1 to 2 of 5', 'clients 3 to 4 of 5', 'consul-client-0'],
    ]);
  });

  test('the next server waits until all see the one before, whatever that says of itself', async () => {
    const { made, restart } = await cluster(undefined, 1);
    made.awayMs = 1_000;
    await restart({ isReached: async () => true });
    expect(restarted(made)).toHaveLength(4);
    expect(made.broken).toEqual([]);
  });

  test('no server stops before all are there, once the files of its pod are', async () => {
    const { made, restart } = await cluster();
    const down = { isDown: true };
    made.before = (pod) =>
      pod === 'consul-server-2' && down.isDown ? { status: 500, text: 'down' } : undefined;
    const restarting = restart();
    await expect.poll(() => made.world.lines.join('\n')).toContain('answered 500: down');
    expect(made.happened('command')).toHaveLength(3);
    expect(restarted(made)).toEqual([]);
    down.isDown = false;
    await restarting;
    expect(restarted(made)).toHaveLength(8);
  });

  test('a server is not stopped where another one goes down at the last moment', async () => {
    const { made, restart } = await cluster();
    const down = { isDown: false, times: 0 };
    made.before = (pod, { path }) => {
      if (path === '/v1/agent/services' && pod === 'consul-server-2') down.isDown = down.times++ === 0;
      return pod === 'consul-server-1' && down.isDown ? { status: 500, text: 'down' } : undefined;
    };
    const restarting = restart();
    await expect.poll(() => made.world.lines.join('\n')).toContain('answered 500: down');
    expect(restarted(made)).toEqual(['server-1']);
    down.isDown = false;
    await restarting;
    expect(restarted(made).slice(0, 3)).toEqual(['server-1', 'server-2', 'server-0']);
    expect(made.broken).toEqual([]);
  });

  test('a server is not asked again to stop before all are there', async () => {
    const { made, restart } = await cluster();
    const down = { isDown: false, times: 0 };
    made.before = (pod) =>
      pod === 'consul-server-1' && down.isDown ? { status: 500, text: 'down' } : undefined;
    made.drops = (pod) => {
      if (pod !== 'consul-server-2' || down.times++ > 0) return false;
      down.isDown = true;
      return true;
    };
    hurried(5);
    const restarting = restart({
      isReached: async ({ name }) => made.happened('restart').includes(`restart ${name}`),
    });
    await expect.poll(() => made.world.lines.join('\n')).toContain('answered 500: down');
    expect(restarted(made)).toEqual(['server-1']);
    down.isDown = false;
    await restarting;
    expect(restarted(made).slice(0, 3)).toEqual(['server-1', 'server-2', 'server-0']);
    expect(made.broken).toEqual([]);
  });

  test('a share that is less than one client is one', async () => {
    const { made, restart } = await cluster({ kind: 'percent', percent: 10 }, 2);
    await restart();
    expect(restarted(made).slice(3)).toEqual(['client-1', 'client-0']);
  });

  test('one that does not come to the state is named, and the next is not restarted', async () => {
    const { made, restart } = await cluster();
    hurried(100);
    const failure = restart({ isReached: async ({ name }) => name !== 'consul-server-2' });
    await expect(failure).rejects.toMatchObject({
      reason: 'stalled',
      what: expect.stringContaining('is not "keyed" after 60 s'),
      where: 'Pod/consul-server-2',
    });
    expect(restarted(made)).toEqual(['server-1', 'server-2']);
  });

  test('one whose pod goes is not waited for', async () => {
    const { made, restart } = await cluster(undefined, 2);
    await restart({
      isReached: async (pod) => {
        const agent = made.agent(pod.name);
        if (pod.name !== 'consul-client-1') return !agent.isAway;
        if (agent.pod.uid === pod.uid) made.replace(agent);
        return false;
      },
    });
    expect(made.happened('start')).toEqual(['start consul-client-1']);
    expect(restarted(made)).toHaveLength(5);
  });
});
