import { z } from 'zod';
import { Backoff } from '../../consul/blocking-query.ts';
import type { ConsulClient } from '../../consul/client.ts';
import { isPassing } from '../../consul/failure.ts';
import { membersAnswer } from '../../consul/quorum/evidence-answer.ts';
import { names } from '../../consul/quorum/finding.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Run } from '../../session/run.ts';
import type { Servers } from './source.ts';

const CHECK = { id: 'restore-nodes', title: 'Nodes', group: 'data' } as const;
const ANSWER_MS = 10_000;
/** The leader compares the members with the catalog once a minute; agents try again after 15 s. */
const LIMIT_MS = 120_000;
const MOST_NAMES = 10;

const nodesAnswer = z.array(z.object({ ID: z.string().nullish(), Node: z.string() }));

/** An agent that lives, and the id under which its name is in the catalog. */
interface Clash {
  name: string;
  there: string | undefined;
}

/**
 * After the restore of another cluster's snapshot, or of one from before a rebuild, the catalog has nodes of its own
 * under the names of agents that live: the same names, other ids. Consul refuses those agents ("Node name … is reserved
 * by node …", seen with 1.22.7) for as long as the old node's check passes, which nobody changes any more. So such nodes
 * go, with what was registered at them; the agents come in their place, and announce what they hold.
 * @throws Failure `node-conflict` with the agents that are not in the catalog after two minutes
 */
export async function replaceOldNodes(run: Run, servers: Servers): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  const backoff = new Backoff();
  const freed = new Set<string>();
  for (;;) {
    try {
      const [server] = await servers();
      const { agents, clashes } = server ? await look(run, server) : { agents: 0, clashes: undefined };
      if (server && clashes?.length === 0) return tell(run, agents, freed);
      for (const { name, there } of clashes ?? []) {
        if (!server || there === undefined) continue;
        run.log.info(`${name} is in the catalog with the id of another agent, ${there}: that node goes`);
        await server.put(
          '/v1/catalog/deregister',
          { Node: name },
          { signal: run.signal, timeoutMs: ANSWER_MS },
        );
        freed.add(name);
      }
      if (performance.now() > end) throw conflict(run, clashes ?? []);
      run.log.progress(`agents are not in the catalog yet: ${clashNames(clashes ?? [])}`, 'nodes');
    } catch (error) {
      if (!isPassing(error) || performance.now() > end) throw error;
    }
    await backoff.pause(run.signal);
  }
}

async function look(run: Run, server: ConsulClient): Promise<{ agents: number; clashes: Clash[] }> {
  const asked = { signal: run.signal, timeoutMs: ANSWER_MS };
  const [members, nodes] = await Promise.all([
    server.get<unknown>('/v1/agent/members', asked),
    server.get<unknown>('/v1/catalog/nodes', { ...asked, query: { consistent: true } }),
  ]);
  const there = new Map(nodesAnswer.parse(nodes.body).map(({ Node, ID }) => [Node, ID ?? '']));
  const alive = membersAnswer.parse(members.body).filter(({ status }) => status === 'alive');
  const clashes = alive
    .filter(({ name, id }) => id !== undefined && there.get(name) !== id)
    .map(({ name }) => ({ name, there: there.get(name) }));
  return { agents: alive.length, clashes };
}

function tell(run: Run, agents: number, freed: ReadonlySet<string>): void {
  run.log.settled('nodes');
  const instead =
    freed.size > 0 ? `; in place of the snapshot's nodes of that name: ${names([...freed], MOST_NAMES)}` : '';
  const observed = `${agents} of ${agents}${instead}`;
  run.check({ ...CHECK, expected: 'every agent that lives, with its own id', observed, passed: true });
}

function conflict(run: Run, clashes: readonly Clash[]): Failure {
  const where = clashNames(clashes);
  run.check({
    ...CHECK,
    expected: 'every agent that lives, with its own id',
    observed: `not there: ${where}`,
    passed: false,
  });
  return new Failure({
    reason: 'node-conflict',
    what: `after the restore ${count(clashes.length, 'agent')} ${clashes.length === 1 ? 'is' : 'are'} not in the catalog`,
    where,
    hint: 'Their logs say what the servers answer. Consul holds what the snapshot holds; run the restore again, or `mode: verify`.',
  });
}

function clashNames(clashes: readonly Clash[]): string {
  return names(
    clashes.map(({ name }) => name),
    MOST_NAMES,
  );
}
