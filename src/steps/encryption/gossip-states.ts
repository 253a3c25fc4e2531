import pLimit from 'p-limit';
import { readAgentFacts } from '../../consul/agent/facts.ts';
import type { GossipState } from '../../consul/gossip/state.ts';
import { whilePassing } from '../../consul/patience.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Run } from '../../session/run.ts';
import { gossipOf } from '../proof/gossip.ts';
import { PARALLEL } from './encryption-watch.ts';

/** How far each of these has come, by what it sends; of those that send plaintext, by whether they have a key. */
export async function gossipStates(
  { signal }: Pick<Run, 'signal'>,
  agents: Pick<Agents, 'client' | 'gossip'>,
  pods: readonly PodView[],
): Promise<Map<PodView, GossipState>> {
  const seen = await whilePassing({ signal }, (both) => gossipOf(agents, pods, both));
  const limit = pLimit(PARALLEL);
  const states = await Promise.all(
    [...seen].map(([pod, wire]) =>
      limit(async (): Promise<[PodView, GossipState]> => {
        if (wire === 'strict') return [pod, 'strict'];
        if (wire === 'takes-both') return [pod, 'sending'];
        const { encrypted } = await whilePassing({ signal }, (both) =>
          readAgentFacts(agents.client(pod), both),
        );
        return [pod, encrypted ? 'keyed' : 'off'];
      }),
    ),
  );
  return new Map(states);
}
