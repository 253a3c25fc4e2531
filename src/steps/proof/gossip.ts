import pLimit from 'p-limit';
import { type GossipOnWire, probeGossip } from '../../consul/gossip/wire.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import { NothingListens } from '../../kubernetes/streams/portforward.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { CurrentPods } from '../../session/current-pods.ts';
import type { Run } from '../../session/run.ts';
import { untilRight } from './until-right.ts';

/** Connections at once: each is a port-forward of its own. */
const PARALLEL = 16;
const MOST_NAMES = 5;

/** What gossip has to be like on the wire; `alike`: whatever it is, the same at every agent. */
export type WantedGossip = 'strict' | 'plaintext' | 'alike';

const WORDS: Record<GossipOnWire, string> = {
  plaintext: 'plaintext',
  'takes-both': 'encrypted, not enforced',
  strict: 'encrypted and enforced',
};

const EXPECTED: Record<WantedGossip, string> = {
  strict: 'every agent sends it encrypted, and takes nothing else',
  plaintext: 'plaintext at every agent, as asked for',
  alike: 'the same at every agent',
};

/**
 * What each of these agents does with gossip.
 * @throws Failure `unreachable` of the first that does not tell
 */
export async function gossipOf(
  agents: Pick<Agents, 'gossip'>,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<Map<PodView, GossipOnWire>> {
  const looks = await looksAt(agents, pods, signal);
  const failed = looks.find(({ seen }) => seen instanceof Failure);
  if (failed) throw failed.seen;
  return new Map(looks.map(({ pod, seen }) => [pod, seen as GossipOnWire]));
}

export interface LookAt {
  pod: PodView;
  seen: GossipOnWire | Failure;
}

/** The same, of each what it tells or why it does not. */
export function looksAt(
  agents: Pick<Agents, 'gossip'>,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<LookAt[]> {
  const limit = pLimit(PARALLEL);
  return Promise.all(
    pods.map((pod) =>
      limit(async (): Promise<LookAt> => {
        try {
          return { pod, seen: await probeGossip(pod.name, agents.gossip(pod), signal) };
        } catch (error) {
          signal.throwIfAborted();
          return { pod, seen: Failure.from(error) };
        }
      }),
    ),
  );
}

/** Looks at the bytes that every agent sends, servers and clients that are ready. */
export async function proveGossip(
  run: Run,
  { agents, pods }: { agents: Pick<Agents, 'gossip'>; pods: CurrentPods },
  wanted: WantedGossip,
): Promise<GossipOnWire | undefined> {
  const check = { id: 'gossip', title: 'Gossip', group: 'cluster', expected: EXPECTED[wanted] } as const;
  const fail = (observed: string) => run.check({ ...check, observed, passed: false });
  fail('not looked at yet');
  const seen = await untilSeen(run, fail, { agents, pods }, wanted);
  if (!seen) {
    run.skip({
      ...check,
      observed: 'not seen: port 8301 of these agents cannot be reached by a port-forward',
    });
    return undefined;
  }
  const [state = 'plaintext'] = new Set(seen.values());
  // Also where the proof fails after this.
  run.known.gossip = state;
  const observed = `${WORDS[state]} at ${seen.size} of ${count(seen.size, 'agent')} (on the wire)`;
  run.check({ ...check, observed, passed: true });
  return state;
}

/**
 * An agent that does not answer has another trouble, which is told of as that: so this is none of the smoke tests.
 * @returns what was seen; undefined where no agent can be reached
 */
function untilSeen(
  run: Run,
  fail: (observed: string) => void,
  { agents, pods }: { agents: Pick<Agents, 'gossip'>; pods: CurrentPods },
  wanted: WantedGossip,
): Promise<ReadonlyMap<PodView, GossipOnWire> | undefined> {
  return untilRight(run, fail, async () => {
    const all = [...(await pods.servers()), ...pods.readyClientPods()];
    const looks = await looksAt(agents, all, run.signal);
    // Agents that listen at the pod's address alone: of an earlier version, or by a configuration that says so.
    if (wanted !== 'strict' && looks.every(isUnheard)) return { seen: undefined };
    const silent = looks.flatMap(({ seen }) => (seen instanceof Failure ? [seen] : []))[0];
    if (silent) return { trouble: silent, isSilent: true };
    const seen = new Map(looks.map((look) => [look.pod, look.seen as GossipOnWire]));
    const trouble = troubleOf(seen, wanted);
    return trouble ? { trouble } : { seen };
  });
}

function isUnheard({ seen }: LookAt): boolean {
  return seen instanceof NothingListens;
}

function troubleOf(seen: Map<PodView, GossipOnWire>, wanted: WantedGossip): Failure | undefined {
  const states = Map.groupBy(seen, ([, state]) => state);
  const most = [...states.values()].sort((a, b) => b.length - a.length)[0]?.[0]?.[1];
  const right = wanted === 'alike' ? most : wanted;
  const others = [...seen].filter(([, state]) => state !== right);
  const [first] = others;
  if (!first || right === undefined) return undefined;
  const names = others.map(([pod]) => pod.name);
  const more = names.length - MOST_NAMES;
  const who = [...names.slice(0, MOST_NAMES), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  const isOpen = others.some(([, state]) => state !== 'strict');
  return new Failure({
    reason: 'not-encrypted',
    what: `gossip is ${WORDS[first[1]]} at ${who}, and ${wanted === 'alike' ? `${WORDS[right]} at the others` : `has to be ${WORDS[right]}`}`,
    where: `Pod/${first[0].name}`,
    hint: isOpen
      ? 'Deploy with `gossip-encryption: true`: that takes every agent there, step by step. If one agent alone differs, look for who has changed its Secret or its configuration.'
      : 'Deploy with `gossip-encryption: true` to keep it encrypted, or `false` to end it step by step.',
  });
}
