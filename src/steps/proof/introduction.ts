import { join } from '../../consul/agent/join.ts';
import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Expectation } from '../../session/expectation.ts';

/** So long a running agent has for joining by itself; nearly all need less. */
const PATIENCE_MS = 1_500;

/**
 * Tells servers the addresses of agents that run but are not in their pool yet. The agents join by themselves;
 * but a dial to a Service's address in the moment in which kube-proxy rewrites its rules leaves the node
 * untranslated, is answered by nobody, and holds up that agent for memberlist's 10 s. Whoever watches the pods
 * knows their addresses, and a join counts for both sides.
 */
export class Introductions {
  readonly #agents: Pick<Agents, 'client'>;
  readonly #runningSince = new Map<string, number>();
  readonly #underWay = new Set<string>();

  constructor(agents: Pick<Agents, 'client'>) {
    this.#agents = agents;
  }

  /** Called after each look. Starts what is due and waits for nothing; what fails is due again at the next. */
  consider(
    expected: Expectation,
    evidence: readonly ServerEvidence[],
    nowMs: number,
    signal: AbortSignal,
  ): void {
    const due = expected.joining.filter((pod) => this.#isDue(pod, nowMs));
    if (due.length === 0) return;
    const addresses = new Map(expected.servers.map(({ name, ip }) => [name, ip]));
    const servers = new Map(expected.pods.map(({ uid, name }) => [uid, addresses.get(name)]));
    let first = true;
    for (const { name, members } of evidence) {
      const server = expected.pods.find((pod) => pod.name === name);
      if (!server || !members) continue;
      const known = new Set(members.filter(({ status }) => status === 'alive').map(({ ip }) => ip));
      for (const pod of due) {
        if (pod.uid === server.uid || known.has(servers.get(pod.uid) ?? pod.ip ?? '')) continue;
        // One server is enough for a client, since gossip carries it on; servers may be held up themselves.
        if (first || servers.has(pod.uid)) this.#introduce(server, pod, signal);
      }
      first = false;
    }
  }

  #isDue(pod: PodView, nowMs: number): boolean {
    if (pod.phase !== 'Running' || pod.ip === undefined) return false;
    const since = this.#runningSince.get(pod.uid) ?? nowMs;
    this.#runningSince.set(pod.uid, since);
    return nowMs - since >= PATIENCE_MS;
  }

  #introduce(server: PodView, pod: PodView, signal: AbortSignal): void {
    const key = `${server.uid} ${pod.uid}`;
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    join(this.#agents.client(server), pod.ip ?? '', signal)
      // A refusal shows in what the servers say of their members; here it only means to try again.
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(key));
  }
}
