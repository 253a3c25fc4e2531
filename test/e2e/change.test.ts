import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy, killedAt, type Outcome } from './action.ts';
import { kubectl, namespaceName, removeNamespace } from './cluster.ts';
import { expectReplaced, SMALL } from './scenario.ts';
import type { QuorumSampler } from './traffic/quorum.ts';
import { type Traffic, underTraffic } from './traffic.ts';

const WALKED = [2, 1, 0].map((ordinal) => `consul-server-${ordinal}`);

describe('a setting of the servers changes while an application writes, reads and asks DNS', () => {
  const namespace = namespaceName('change');
  const given = {
    ...SMALL,
    namespace,
    'server-storage': '1Gi',
    'server-addresses': 'service',
    'client-replicas': '1',
  };
  /** Nothing that Consul takes without a restart. */
  const setting = (seconds: number) => ({
    ...given,
    'server-config': JSON.stringify({ session_ttl_min: `${seconds}s` }),
  });

  beforeAll(async () => {
    const outcome = await deploy(given);
    expect(outcome.code, outcome.log).toBe(0);
  });
  afterAll(() => removeNamespace(namespace));

  it('one server at a time, each of which leads no more when it stops, and nothing is lost', async () => {
    const before = await leadership(namespace);
    const { value, traffic } = await underTraffic({ namespace, prefix: 'walk' }, () => deploy(setting(11)));
    expect(value.code, value.log).toBe(0);
    expectReplaced(value, WALKED);
    await expectUnnoticed(traffic);
    // Each term has one leader: as many terms as hand-overs, so there was no election that nobody had asked for.
    const after = await leadership(namespace);
    const given = handOvers(value);
    expect(given.length, value.log).toBeGreaterThan(0);
    expect(given.length, value.log).toBeLessThan(3);
    expect(after.term - before.term, value.log).toBe(given.length);
    expect(given[0]?.from).toBe(before.leader);
    expect(given.at(-1)?.to).toBe(after.leader);
    // To the last in the order, and from there to one that has the change.
    expect(given.at(-1)?.from).toBe('consul-server-0');
  });

  it('a deploy is killed in the middle, and the next one finishes it', async () => {
    const { value, traffic } = await underTraffic({ namespace, prefix: 'killed' }, async () => {
      const killed = await killedAt(setting(12), 'consul-server-1 takes the new revision');
      expect(killed.code).not.toBe(0);
      return deploy(setting(12));
    });
    expect(value.code, value.log).toBe(0);
    await expectUnnoticed(traffic);
    expect((await leadership(namespace)).leader).not.toBe('');
    const again = await deploy(setting(12));
    expect(again.code, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
  });
});

/** No acknowledged key is lost, DNS always knows the servers, and of three servers two stay. */
async function expectUnnoticed({ writes, dns, quorum, lost }: Traffic): Promise<void> {
  expect(writes.acknowledged.size).toBeGreaterThan(0);
  expect(dns.empty).toBe(0);
  expect(fewestStaying(quorum)).toBeGreaterThanOrEqual(2);
  expect(await lost()).toEqual([]);
}

/** How many servers at the fewest were ready, or at least were not to stop and said who leads. */
function fewestStaying({ samples }: QuorumSampler): number {
  const stays = ({ stopping, ready, leader }: (typeof samples)[number]['servers'][number]) =>
    !stopping && (ready || Boolean(leader));
  return Math.min(...samples.map(({ servers }) => servers.filter(stays).length));
}

function handOvers({ log }: Outcome): { from: string; to: string }[] {
  return [...log.matchAll(/(\S+) has handed the leadership over to (\S+)/g)].map(
    ([, from = '', to = '']) => ({ from, to }),
  );
}

/** Consul itself is asked, by its own command. */
async function leadership(namespace: string): Promise<{ leader: string; term: number }> {
  const ask = (...command: string[]) =>
    kubectl('-n', namespace, 'exec', 'consul-server-0', '-c', 'consul', '--', 'consul', ...command);
  const peers = await ask('operator', 'raft', 'list-peers');
  const leader = peers.split('\n').find((line) => / leader /.test(line));
  const term = /\bterm = (\d+)/.exec(await ask('info'));
  return { leader: leader?.split(/\s+/)[0] ?? '', term: Number(term?.[1]) };
}
