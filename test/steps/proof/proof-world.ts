import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import packet from 'dns-packet';
import { onTestFinished } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { ConsulClient, type Dial } from '../../../src/consul/client.ts';
import type { Failure } from '../../../src/failure.ts';
import { ServerClock } from '../../../src/kubernetes/http/clock.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { NothingListens } from '../../../src/kubernetes/streams/portforward.ts';
import { render } from '../../../src/manifests/render.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { WorkloadView } from '../../../src/rollout/workload.ts';
import { storedKey } from '../../../src/session/stored.ts';
import { Workloads } from '../../../src/session/workloads.ts';
import type { LedSince } from '../../../src/steps/proof/stability.ts';
import { type FakeAnswer, type FakeRequest, fakeConsul, open } from '../../consul/fake-consul.ts';
import { FakeStore } from '../../consul/fake-store.ts';
import { type FakeHttps, startHttps } from '../../consul/https/fake-https.ts';
import { type FakeRpc, startRpc } from '../../consul/rpc/fake-rpc.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { daemonSet, pod, statefulSet } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

type AgentPod = Pick<PodView, 'name' | 'uid'>;

/** Three servers and some clients over real HTTP and TCP, with what the watches have told of their pods. */
export class ProofWorld {
  readonly run: ReturnType<typeof startRun>['run'];
  readonly lines: string[];
  readonly workloads: Workloads;
  /** What is asked of any agent, by the name of its pod; answers before the agent does. */
  before: (
    pod: string,
    request: FakeRequest,
  ) => FakeAnswer | 'silence' | undefined | Promise<FakeAnswer | undefined> = () => undefined;
  /** The API server's. */
  readonly clock = new ServerClock();
  /** What an earlier run has recorded. */
  recorded: LedSince | undefined;
  /** Raft's term. */
  term = 7;
  /** Members that are no pods of this deployment, by name and address. */
  outside: Record<string, string> = {};
  /** Addresses of the servers, as DNS gives them. */
  serverAddresses = [1, 2, 3].map((last) => `10.0.0.${last}`);
  readonly #store = new FakeStore();
  readonly #clients = new Map<string, ConsulClient>();
  /** Pods whose connections were ended because they are no more. */
  readonly closed: string[] = [];
  readonly #dials = new Map<string, Promise<Dial>>();
  readonly #stores = new Map<string, ReturnType<FakeStore['server']>>(
    [0, 1, 2].map((at) => [`consul-server-${at}`, this.#store.server()] as const),
  );
  readonly #services = new Map<string, { Node: string; Address: string }>();
  #index = 20;
  readonly #waiting = new Set<() => void>();
  #dns: Promise<Dial> | undefined;
  /** The first bytes with which an agent answers a ping, by the name of its pod; plaintext where nothing is said. */
  readonly gossip = new Map<string, Buffer>();
  /** Pods whose agent does not listen for gossip where a port-forward dials. */
  readonly unheard = new Set<string>();
  /** What a server does at its port for RPC; it takes plaintext alone where nothing is said. */
  readonly rpc = new Map<string, FakeRpc>();
  /** Servers that do not listen for RPC where a port-forward dials. */
  readonly withoutRpc = new Set<string>();
  /** What an agent does at its port for HTTPS; nothing listens there where nothing is said. */
  readonly https = new Map<string, FakeHttps>();
  readonly #httpsServers = new Map<FakeHttps, Promise<Dial>>();
  readonly #rpcServers = new Map<FakeRpc, Promise<Dial>>();
  readonly #gossipServers = new Map<Buffer, Promise<Dial>>();
  readonly #kind: 'StatefulSet' | 'DaemonSet';
  /** Names of pods and of their nodes, where those name the agents. */
  readonly clientPods: PodView[];

  constructor(change: Partial<Config>, clients: number) {
    const { run, lines } = startRun({ timeout: 3_600_000, clients: 'none', ...change });
    this.run = run;
    this.lines = lines;
    const { config } = run;
    this.#kind = config.clients === 'daemonset' ? 'DaemonSet' : 'StatefulSet';
    const objects = render(config);
    this.workloads = new Workloads(run, objects);
    const uids: Record<string, string> = { 'consul-server': 'set', 'consul-client': 'clients' };
    const stored = objects.map((object): [string, KubernetesObject] => {
      const metadata = { ...object.metadata, uid: uids[object.metadata.name] ?? 'other', generation: 2 };
      return [storedKey(object), { ...object, metadata }];
    });
    this.workloads.judge(new Map(stored));
    this.see(statefulSet());
    this.clientPods =
      config.clients === 'none' ? [] : Array.from({ length: clients }, (_, at) => this.#client(at));
    this.rollClients({});
    for (const at of [0, 1, 2]) this.tell(pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` }));
    for (const one of this.clientPods) this.tell(one);
  }

  #client(at: number): PodView {
    const onNodes = this.#kind === 'DaemonSet';
    return pod(onNodes ? `consul-client-x${at}` : `consul-client-${at}`, {
      ownerUid: 'clients',
      ip: `10.0.1.${at + 1}`,
      node: `node-${at}`,
      ...(onNodes && { labels: { 'pod-template-generation': '2' } }),
    });
  }

  see(view: WorkloadView): void {
    this.workloads.observation.apply(view.kind, { type: 'upsert', uid: view.uid, object: view });
  }

  /** What the controller counts of the clients. */
  rollClients(change: Partial<WorkloadView>): void {
    const { length } = this.clientPods;
    if (length === 0) return;
    const counts = { desired: length, created: length, ready: length, available: length, updated: length };
    const view = { name: 'consul-client', uid: 'clients', ...counts, ...change };
    this.see(this.#kind === 'DaemonSet' ? daemonSet(view) : statefulSet(view));
  }

  tell(view: PodView): void {
    this.workloads.observation.apply('Pod', { type: 'upsert', uid: view.uid, object: view });
  }

  gone({ uid }: AgentPod): void {
    this.workloads.observation.apply('Pod', { type: 'delete', uid });
  }

  /** Loses its readiness and is ready again before anybody has looked. */
  flap(view: PodView): void {
    this.tell({ ...view, ready: false });
    this.tell(view);
  }

  server(at: number): PodView {
    const found = this.workloads.pods('server').find(({ name }) => name === `consul-server-${at}`);
    if (!found) throw new Error(`no server ${at}`);
    return found;
  }

  /** As Agents does it: one client a pod, ended when the pod is no more. */
  readonly agents = {
    client: ({ name, uid }: AgentPod): ConsulClient => {
      let client = this.#clients.get(uid);
      if (!client) {
        client = new ConsulClient({ name, dial: async (signal) => (await this.#dial(name))(signal) });
        onTestFinished(() => client?.close());
        this.#clients.set(uid, client);
      }
      return client;
    },
    dns: (_pod: AgentPod): Dial => {
      this.#dns ??= dnsServer((name) => this.#resolve(name));
      const dns = this.#dns;
      return async (signal) => (await dns)(signal);
    },
    gossip: ({ name }: AgentPod): Dial => {
      if (this.unheard.has(name)) return () => Promise.reject(refused(name));
      const answer = this.gossip.get(name) ?? GOSSIP_IN_PLAINTEXT;
      this.#gossipServers.set(answer, this.#gossipServers.get(answer) ?? gossipServer(answer));
      const server = this.#gossipServers.get(answer);
      return async (signal) => ((await server) as Dial)(signal);
    },
    https: ({ name }: AgentPod): Dial => {
      const https = this.https.get(name);
      if (!https) return () => Promise.reject(refused(name, 8501));
      this.#httpsServers.set(https, this.#httpsServers.get(https) ?? startHttps(https));
      const server = this.#httpsServers.get(https);
      return async (signal) => ((await server) as Dial)(signal);
    },
    rpc: ({ name }: AgentPod): Dial => {
      if (this.withoutRpc.has(name)) return () => Promise.reject(refused(name, 8300));
      const rpc = this.rpc.get(name) ?? RPC_IN_PLAINTEXT;
      this.#rpcServers.set(rpc, this.#rpcServers.get(rpc) ?? startRpc(rpc));
      const server = this.#rpcServers.get(rpc);
      return async (signal) => ((await server) as Dial)(signal);
    },
    renew: ({ uid }: Pick<AgentPod, 'uid'>): void => {
      this.#clients.get(uid)?.close();
      this.#clients.delete(uid);
    },
    keep: (pods: readonly AgentPod[]): void => {
      const alive = new Set(pods.map(({ uid }) => uid));
      for (const [uid, client] of this.#clients) {
        if (alive.has(uid)) continue;
        client.close();
        this.closed.push(uid);
        this.#clients.delete(uid);
      }
    },
  };

  async #dial(name: string): Promise<Dial> {
    let dial = this.#dials.get(name);
    if (!dial) {
      dial = fakeConsul(async (request) => {
        const instead = await this.before(name, request);
        return instead ?? this.#answer(name, request);
      }).then((fake) => fake.dial);
      this.#dials.set(name, dial);
    }
    return dial;
  }

  #answer(name: string, request: FakeRequest): FakeAnswer | Promise<FakeAnswer> {
    const { path } = request;
    if (path.startsWith('/v1/kv/') || path.startsWith('/v1/session/')) {
      return this.#stores.get(name)?.(request) as Promise<FakeAnswer>;
    }
    if (path.startsWith('/v1/agent/service/')) return this.#atAgent(name, request);
    if (path.startsWith('/v1/health/service/')) return this.#health(request);
    const answers = healthyAnswers(name);
    if (path === '/v1/agent/self') return this.#self(answers[path]);
    if (path === '/v1/agent/members') return { body: this.#members() };
    return this.#moved(answers[path] ?? { status: 404, text: 'no such endpoint' });
  }

  /** With the addresses that the servers have now. */
  #moved(answer: FakeAnswer): FakeAnswer {
    let text = JSON.stringify(answer);
    for (const { name, ip } of this.workloads.pods('server')) {
      const at = Number(name.at(-1));
      text = text.replaceAll(`10.0.0.${at + 1}:8300`, `${ip}:8300`);
    }
    return JSON.parse(text) as FakeAnswer;
  }

  #self(answer: FakeAnswer | undefined): FakeAnswer {
    return { body: { ...(answer?.body as object), Stats: { raft: { term: String(this.term) } } } };
  }

  #members() {
    const servers = this.workloads.pods('server').map(({ name, ip }) => ({ name, ip, role: 'consul' }));
    const clients = this.workloads
      .pods('client')
      .map((one) => ({ name: this.workloads.nodeName(one), ip: one.ip, role: 'node' }));
    const others = Object.entries(this.outside).map(([name, ip]) => ({ name, ip, role: 'node' }));
    return [...servers, ...clients, ...others].map(({ name, ip, role }) => ({
      Name: name,
      Addr: ip ?? '',
      Status: 1,
      Tags: { build: '1.22.7:0a1b2c3d', dc: 'dc1', role },
    }));
  }

  #atAgent(name: string, { path, body }: FakeRequest): FakeAnswer {
    const id = path.split('/').at(-1) ?? '';
    const changed = (): FakeAnswer => {
      this.#index += 1;
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
      return { text: '' };
    };
    if (path === '/v1/agent/service/register') {
      const found = this.clientPods.find((one) => one.name === name);
      const node = found && this.workloads.nodeName(found);
      this.#services.set((JSON.parse(body) as { ID: string }).ID, {
        Node: node ?? name,
        Address: '10.0.1.1',
      });
      return changed();
    }
    if (path.startsWith('/v1/agent/service/deregister/')) {
      return this.#services.delete(id) ? changed() : { status: 404, text: 'unknown service ID' };
    }
    return this.#services.has(id) ? { body: {} } : { status: 404, text: 'unknown service ID' };
  }

  async #health({ path, query, gone }: FakeRequest): Promise<FakeAnswer> {
    while (this.#index <= Number(query.get('index') ?? 0) && !gone.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        gone.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    const id = path.split('/').at(-1) ?? '';
    const at = this.#services.get(id);
    const body = at ? [{ Node: at, Service: { ID: id, Address: '' } }] : [];
    return { body, headers: { 'X-Consul-Index': String(this.#index) } };
  }

  #resolve(name: string): string[] {
    if (name.startsWith('consul.service.')) return this.serverAddresses;
    const at = this.#services.get(name.split('.')[0] ?? '');
    return at ? [at.Address] : [];
  }
}

/** As a port-forward says it. */
function refused(pod: string, port = 8301): Failure {
  return new NothingListens(`Pod consul/${pod} port ${port}`, port);
}

const RPC_IN_PLAINTEXT: FakeRpc = { takesPlaintext: true };
const GOSSIP_IN_PLAINTEXT = Buffer.from([9, 0x82, 0xa4, 0x41, 0x6c, 0x67]);

/** An agent's port for gossip, which answers whatever it is asked with these bytes, and closes. */
async function gossipServer(answer: Buffer): Promise<Dial> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.end(answer));
  });
  return listening(server);
}

/** A DNS server over TCP. */
async function dnsServer(resolve: (name: string) => string[]): Promise<Dial> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const { id = 0, questions = [] } = packet.streamDecode(data);
      const name = questions[0]?.name ?? '';
      const answers = resolve(name).map((address) => ({ type: 'A' as const, name, data: address }));
      socket.write(packet.streamEncode({ type: 'response', id, questions, answers }));
    });
  });
  return listening(server);
}

async function listening(server: Server): Promise<Dial> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return (signal) => open(port, signal);
}
