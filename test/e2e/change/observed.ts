import { expect } from 'vitest';
import { consul } from '../consul/consul.ts';
import { kubectl } from '../kubernetes/cluster.ts';
import type { Outcome } from '../run/action.ts';
import { address } from '../run/scenario.ts';
import type { QuorumSampler } from '../traffic/quorum.ts';
import type { Traffic } from '../traffic/traffic.ts';

/** What each object's change does, but for those that stay as they are. */
export function consequences({ report }: Outcome): Record<string, string> {
  const changes = report?.plan?.filter(({ consequence }) => consequence !== 'none') ?? [];
  return Object.fromEntries(changes.map(({ kind, name, consequence }) => [`${kind}/${name}`, consequence]));
}

export async function register(client: string, service: object): Promise<void> {
  const init = { method: 'PUT', body: JSON.stringify(service) };
  const answer = await fetch(`http://${client}:8500/v1/agent/service/register`, init);
  expect(answer.status, await answer.text()).toBe(200);
}

/** The state of the check of what is registered at the client. */
export async function heldService(namespace: string, name = 'held'): Promise<string | undefined> {
  const [held] = await consul<{ Checks: { CheckID: string; Status: string }[] }[]>(
    await address(namespace, 'consul-client-0'),
    `/v1/health/service/${name}`,
  );
  return held?.Checks.find(({ CheckID }) => CheckID === `service:${name}`)?.Status;
}

export function restartedIn({ log }: Outcome): string[] {
  return [...log.matchAll(/(\S+) was restarted in /g)].map(([, name = '']) => name);
}

/** No acknowledged key is lost, DNS always knows the servers, and of three servers two stay. */
export async function expectUnnoticed({ writes, dns, quorum, lost }: Traffic): Promise<void> {
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

export function handOvers({ log }: Outcome): { from: string; to: string }[] {
  return [...log.matchAll(/(\S+) has handed the leadership over to (\S+)/g)].map(
    ([, from = '', to = '']) => ({ from, to }),
  );
}

/**
 * No write fails. Where one does, an election that has nothing to do with it may be the reason: so it is told.
 * @param term of Raft, before
 */
export async function expectNoFailedWrite(namespace: string, term: number, traffic: Traffic): Promise<void> {
  const { writes, quorum } = traffic;
  const elections = (await leadership(namespace)).term - term;
  const seen = `${elections} elections, longest gap ${writes.longestGapMs} ms, without a leader ${quorum.longestWithoutLeaderMs} ms`;
  expect(writes.failures, seen).toEqual([]);
}

/** Consul itself is asked, by its own command. */
export async function leadership(namespace: string): Promise<{ leader: string; term: number }> {
  const ask = (...command: string[]) =>
    kubectl('-n', namespace, 'exec', 'consul-server-0', '-c', 'consul', '--', 'consul', ...command);
  const peers = await ask('operator', 'raft', 'list-peers');
  const leader = peers.split('\n').find((line) => / leader /.test(line));
  const term = /\bterm = (\d+)/.exec(await ask('info'));
  return { leader: leader?.split(/\s+/)[0] ?? '', term: Number(term?.[1]) };
}
