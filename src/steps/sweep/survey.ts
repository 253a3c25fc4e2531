import pLimit from 'p-limit';
import { canonicalAddress } from '../../consul/address.ts';
import { type Census, membersOf } from '../../consul/catalog/census.ts';
import {
  type CatalogNode,
  readChecks,
  readHeld,
  readInstances,
  readNodes,
} from '../../consul/catalog/entry.ts';
import type { ConsulClient } from '../../consul/client.ts';
import { spreadSample } from '../../consul/proofs/registration.ts';
import { collectEvidence, type ServerEvidence } from '../../consul/quorum/evidence.ts';
import { selfAnswer } from '../../consul/quorum/evidence-answer.ts';
import { Failure } from '../../failure.ts';
import { listIfAllowed } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { AgentPod } from '../../session/agent-pods.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { follower } from './follower.ts';
import { findPlaces, type Places } from './place.ts';

/** Connections that are opened at once, and, of a big fleet, that are open at once. */
const PARALLEL = 8;
const AGENT_MS = 10_000;

type Connections = Pick<Agents, 'client' | 'keep'>;

export interface Scope {
  /** Only what concerns these nodes: for a look right before something is done to them. */
  nodes?: ReadonlySet<string>;
  /** Ask at most so many clients, and look into at most so many nodes. */
  most?: number;
  /** Look for applications that are gone, which takes a list of all pods of the Kubernetes cluster. */
  applications?: boolean;
}

export interface Survey {
  census: Census;
  /** One that knows the leader. */
  server: ConsulClient;
  /** By the name of its node. */
  agents: ReadonlyMap<string, ConsulClient>;
  /** How many agents were to be asked, and which have not answered. */
  asked: number;
  running: number;
  silent: readonly string[];
  /** What could not be looked for. */
  unknown: readonly string[];
}

/** Asks Kubernetes, the servers, the agents and the catalog, each again with every look. */
export class Surveyor {
  readonly #run: Run;
  readonly #cluster: Pick<Cluster, 'transport'>;
  readonly #agents: Connections;
  /** What the agent of a pod is called, by the uid of the pod: it does not change while the pod lives. */
  readonly #names = new Map<string, string>();

  constructor(run: Run, cluster: Pick<Cluster, 'transport'>, agents: Connections) {
    this.#run = run;
    this.#cluster = cluster;
    this.#agents = agents;
  }

  /** @throws Failure `not-deployed`, `no-leader`, `split`, `acl-denied` */
  async look(scope: Scope = {}): Promise<Survey> {
    const { signal } = this.#run;
    const places = await findPlaces(this.#run, this.#cluster);
    const evidence = await this.#evidence(places);
    const server = this.#agents.client(follower(this.#run, places.pods, evidence));
    const nodes = await readNodes(server, signal);
    const checks = await readChecks(server, signal);
    const members = membersOf(evidence);
    const asked = this.#toAsk(places, scope);
    const answers = await this.#ask(asked, places);
    const held = new Map(answers.flatMap(({ node, ids }) => (node && ids ? [[node, ids] as const] : [])));
    const few = scope.most === undefined || nodes.length <= scope.most;
    const into = scope.nodes ?? new Set(few ? nodes.map(({ name }) => name) : held.keys());
    const limit = pLimit(PARALLEL);
    const instances = await Promise.all(
      [...into].map((node) => limit(() => readInstances(server, node, signal))),
    );
    const { placed, ours, unknown } = await this.#placed(places, nodes, members);
    const podAddresses = scope.applications ? await this.#podAddresses() : undefined;
    // A server may have the address of its Service.
    for (const { role, ip } of members.values())
      if (role === 'server') podAddresses?.add(canonicalAddress(ip));
    if (scope.applications && !podAddresses) {
      unknown.push('applications that are gone: pods may not be listed in the whole cluster');
    }
    return {
      census: {
        nodes,
        instances: instances.flat(),
        checks,
        members: new Map([...members].map(([name, { status }]) => [name, status])),
        peers: new Set(evidence.flatMap(({ raft }) => raft ?? []).map(({ node }) => node)),
        held,
        placed,
        ours,
        podAddresses,
      },
      server,
      agents: new Map(
        answers.flatMap(({ node, pod }) => (node ? [[node, this.#agents.client(pod)] as const] : [])),
      ),
      asked: asked.length,
      running: places.pods.filter(isRunning).length,
      silent: answers.flatMap(({ silence }) => silence ?? []),
      unknown,
    };
  }

  #evidence({ pods }: Places): Promise<ServerEvidence[]> {
    const servers = pods.filter((pod) => pod.role === 'server' && isRunning(pod));
    return Promise.all(servers.map((pod) => collectEvidence(this.#agents.client(pod), this.#run.signal)));
  }

  #toAsk({ pods }: Places, { nodes, most }: Scope): AgentPod[] {
    const running = pods.filter(isRunning);
    if (nodes) {
      return running.filter(({ uid }) => {
        const name = this.#names.get(uid);
        return name === undefined || nodes.has(name);
      });
    }
    const clients = running.filter(({ role }) => role === 'client');
    return [
      ...running.filter(({ role }) => role === 'server'),
      ...(most === undefined ? clients : spreadSample(clients, most)),
    ];
  }

  async #ask(
    pods: readonly AgentPod[],
    { pods: all }: Places,
  ): Promise<{ pod: AgentPod; node?: string; ids?: Set<string>; silence?: string }[]> {
    const answers = [];
    for (let at = 0; at < pods.length; at += PARALLEL) {
      answers.push(...(await Promise.all(pods.slice(at, at + PARALLEL).map((pod) => this.#askOne(pod)))));
      // A connection to each of thousands of agents would be a burden to the API server.
      if (pods.length > 100) this.#agents.keep(all.filter(({ role }) => role === 'server'));
    }
    return answers;
  }

  async #askOne(pod: AgentPod) {
    const { signal } = this.#run;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(AGENT_MS)]);
    try {
      const agent = this.#agents.client(pod);
      let node = this.#names.get(pod.uid);
      if (node === undefined) {
        const { body } = await agent.get('/v1/agent/self', { signal: limit });
        node = selfAnswer.parse(body).nodeName;
        this.#names.set(pod.uid, node);
      }
      const ids = await readHeld(agent, limit);
      return { pod, node, ids };
    } catch (error) {
      signal.throwIfAborted();
      const why = limit.aborted ? `no answer within ${AGENT_MS / 1000} s` : Failure.from(error).what;
      return { pod, silence: `${pod.name}: ${why}` };
    }
  }

  /** Whose agents have a place, and which names are those of this deployment. */
  async #placed(
    { pods, wanted, onNodes: isDaemonSet }: Places,
    nodes: readonly CatalogNode[],
    members: ReturnType<typeof membersOf>,
  ): Promise<{ placed: Set<string>; ours: Set<string>; unknown: string[] }> {
    const { name } = this.#run.config;
    const placed = new Set(wanted);
    for (const pod of pods) {
      for (const one of [pod.name, this.#names.get(pod.uid), pod.role === 'client' && pod.node]) {
        if (one) placed.add(one);
      }
    }
    // An agent may have any name: one that has not said its own may be that of any node at its address.
    const nameless = new Set(pods.flatMap(({ uid, ip }) => (this.#names.has(uid) || !ip ? [] : [ip])));
    for (const { name, address } of nodes) if (nameless.has(address)) placed.add(name);
    for (const [name, { ip }] of members) if (nameless.has(ip)) placed.add(name);
    const onNodes =
      isDaemonSet ||
      pods.some(
        (pod) => pod.role === 'client' && pod.node !== pod.name && this.#names.get(pod.uid) === pod.node,
      );
    const pattern = new RegExp(`^${name}-(?:server|client)-\\d+$`);
    const unknown: string[] = [];
    const ours = new Set(
      [...nodes.map((node) => node.name), ...members.keys()].filter((one) => pattern.test(one)),
    );
    if (onNodes) {
      const project = ({ metadata }: KubernetesObject) => [metadata.name];
      const found = await listIfAllowed(
        this.#cluster.transport,
        '/api/v1/nodes',
        { metadataOnly: true, project },
        this.#run.signal,
      );
      if (!found) unknown.push('agents of nodes that are gone: nodes may not be listed');
      // The name of a node that is gone tells nothing. An agent that is only down comes back all the same.
      const gone = [...members].filter(([, { role, status }]) => role === 'client' && status === 'failed');
      for (const [one] of gone) (found ? ours : placed).add(one);
      for (const one of found ?? []) placed.add(one);
    }
    return { placed, ours, unknown };
  }

  async #podAddresses(): Promise<Set<string> | undefined> {
    const { transport } = this.#cluster;
    const found = await listIfAllowed(transport, '/api/v1/pods', { project: addressesOf }, this.#run.signal);
    return found && new Set(found);
  }
}

function addressesOf({ status }: KubernetesObject): string[] {
  const { podIP, podIPs = [] } = (status ?? {}) as { podIP?: string; podIPs?: { ip?: string }[] };
  return [podIP, ...podIPs.map(({ ip }) => ip)].flatMap((ip) => (ip ? [canonicalAddress(ip)] : []));
}

function isRunning({ phase, terminating, ip }: AgentPod): boolean {
  return phase === 'Running' && !terminating && ip !== undefined;
}
