import { describe, expect, it } from 'vitest';
import { eventually, isReady, kubectl, pods } from '../kubernetes/cluster.ts';
import { deploy } from '../run/action.ts';
import { SMALL, within } from '../run/scenario.ts';
import { majority } from './quorum.ts';
import { underTraffic } from './traffic.ts';

/** What measures has to see what it measures: a quiet cluster as quiet, and one whose quorum is gone as that. */
describe('Traffic beside a change', () => {
  it(
    'sees nothing on a quiet cluster, and a quorum that is gone on one without servers',
    within('traffic', async (namespace) => {
      const outcome = await deploy({ ...SMALL, 'server-storage': '1Gi', namespace });
      expect(outcome.code, outcome.log).toBe(0);

      const { traffic: quiet } = await underTraffic({ namespace, prefix: 'quiet' }, () => rounds(namespace));
      for (const { failures } of [quiet.writes, quiet.reads, quiet.dns]) expect(failures).toEqual([]);
      expect(quiet.quorum.fewestReady).toBe(3);
      expect(quiet.quorum.fewestAnswering).toBe(3);
      expect(quiet.quorum.leaders).toHaveLength(1);
      expect(quiet.quorum.samples.map(majority)).toContain(2);
      expect(quiet.writes.acknowledged.size).toBe(quiet.writes.sent + 1);
      expect(await quiet.lost()).toEqual([]);

      const { traffic: loud } = await underTraffic({ namespace, prefix: 'loud' }, async () => {
        await kubectl('-n', namespace, 'delete', 'pods', '-l', 'consul-role=server', '--force');
        await eventually('three servers that know a leader', 180_000, async () =>
          (await pods(namespace, 'server')).filter(isReady).length === 3 ? true : undefined,
        );
      });
      expect(loud.quorum.fewestAnswering).toBe(0);
      expect(loud.quorum.fewestWithLeader).toBe(0);
      expect(loud.quorum.longestWithoutLeaderMs).toBeGreaterThan(500);
      expect(loud.writes.longestGapMs).toBeGreaterThan(500);
      expect(await loud.lost()).toEqual([]);

      // Whoever asks for what is lost has to find it.
      const [first = ''] = loud.writes.acknowledged.keys();
      await kubectl('-n', namespace, 'exec', 'consul-server-0', '--', 'consul', 'kv', 'delete', first);
      // A follower hears of it a moment later.
      for (const { status } of await pods(namespace, 'server')) {
        await eventually('the key to be gone', 20_000, async () => {
          const answer = await fetch(`http://${status.podIP}:8500/v1/kv/${first}?stale`);
          return answer.status === 404 ? true : undefined;
        });
      }
      expect(await loud.lost()).toEqual([0, 1, 2].map((ordinal) => `consul-server-${ordinal}: ${first}`));
    }),
  );
});

/** A few seconds of a cluster that nobody touches. */
async function rounds(namespace: string): Promise<void> {
  for (let round = 0; round < 10; round++) await pods(namespace);
}
