import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Agents } from '../../../src/session/agents.ts';
import type { EncryptionTools } from '../../../src/steps/encryption/encryption-watch.ts';
import { Refresh } from '../../../src/steps/reload/refresh-files.ts';
import type { FakeAnswer, FakeRequest } from '../../consul/fake-consul.ts';
import type { FakeRpc } from '../../consul/rpc/fake-rpc.ts';
import { healthyAnswers } from '../../consul/server-answers.ts';
import { json, status } from '../../kubernetes/fake-server.ts';
import { deployed, type FakeApi, startFakeApi } from '../../session/fake-api.ts';
import type { config } from '../../session/fixture.ts';
import { ProofWorld } from '../proof/proof-world.ts';
import { type Agent, self, textOf } from './fake-agent.ts';
import { keyring } from './keyring.ts';
import { deaf, foreign, isPair, lack } from './understanding.ts';

const PODS = '/api/v1/namespaces/consul/pods/';
const SECRETS = '/api/v1/namespaces/consul/secrets/';
/** The first bytes of what memberlist answers to a ping: compressed, or encrypted and as long as an answer or a refusal. */
const PLAINTEXT = Buffer.from([9, 0, 0, 0, 0]);
const ENCRYPTED = (length: number) => Buffer.from([10, 0, 0, 0, length + 29]);
const [ACK, REFUSAL] = [36, 84];

/**
 * Three servers and some clients with the files of their Secrets, as kubelet and Consul handle them: files come when a pod is
 * changed, gossip heeds them at a start alone, TLS at a reload, too. After each event it looks by itself, with nothing of the
 * code that is tested, whether all agents still understand each other; what it finds is in `broken`.
 */
export class EncryptionWorld {
  readonly world: ProofWorld;
  readonly agents: Agent[];
  readonly broken: string[] = [];
  /** `restart consul-server-0`, `reload consul-client-1`, `write consul-gossip`, `install`, in the order in which they came. */
  readonly events: string[] = [];
  /** The index of the server that leads. */
  leader = 0;
  /** Answers before an agent does. */
  before: (pod: string, request: FakeRequest) => FakeAnswer | 'silence' | undefined = () => undefined;
  /** The kubelet of these pods renews files at the second change of the pod. */
  readonly late = new Set<string>();
  datacenters = ['dc1'];
  denied: string[] = [];
  /** So long an agent is away that is restarted. */
  awayMs = 30;
  /** So long a command looks for files. */
  commandMs = 4_000;
  /** The connection of a command that would restart an agent breaks before it does. */
  drops: (pod: string) => boolean = () => false;
  /** A pod that the API server does not know any more. */
  refuse: string | undefined;
  #api: FakeApi | undefined;
  #tools: EncryptionTools | undefined;

  private constructor(change: Parameters<typeof config>[0], clients: number) {
    this.world = new ProofWorld({ clients: 'statefulset', clientReplicas: clients, ...change }, clients);
    const { workloads } = this.world;
    workloads.untilSynced = async () => undefined;
    this.world.before = (pod, request) => this.#answer(pod, request);
    const of = (role: 'server' | 'client') =>
      workloads.pods(role).map(
        (pod): Agent => ({
          pod,
          isServer: role === 'server',
          files: { gossip: {}, tls: {} },
          gossip: { keys: [], sends: false, strict: false },
          tls: { ca: '', certificate: '', key: '', incoming: false, outgoing: false, isAnnounced: false },
          isAway: false,
          commands: new Set(),
          restarts: 0,
          reloads: 0,
        }),
      );
    this.agents = [...of('server'), ...of('client')];
  }

  /** @param secrets that are there, which every agent has read when it started */
  static async start(
    change: Parameters<typeof config>[0] = {},
    { clients = 2, secrets = [] }: { clients?: number; secrets?: readonly KubernetesObject[] } = {},
  ): Promise<EncryptionWorld> {
    const made = new EncryptionWorld(change, clients);
    const api = await startFakeApi(({ method, path, body }, response) => {
      if (path.endsWith('/selfsubjectaccessreviews')) {
        const { verb, resource, subresource } = JSON.parse(body).spec.resourceAttributes;
        const what = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
        json(response, 201, { status: { allowed: !made.denied.includes(what) } });
        return true;
      }
      if (method === 'GET' && path.startsWith(SECRETS) && made.denied.includes('get secrets')) {
        status(response, 403, { reason: 'Forbidden', message: 'no' });
        return true;
      }
      if (method === 'PATCH' && path.startsWith(PODS)) made.#poked(path.slice(PODS.length));
      // The answer comes when the store has it: what happens then happens after it.
      if (path.startsWith(SECRETS) && method !== 'GET')
        response.on('finish', () => made.#event(`write ${path.slice(SECRETS.length)}`));
      return undefined;
    });
    made.#api = api;
    api.put(...secrets);
    for (const agent of made.agents) {
      api.put(deployed('Pod', agent.pod.name));
      made.mount(agent);
      made.load(agent, { isStart: true });
    }
    made.#serveCommands();
    const { workloads, agents, run } = made.world;
    made.#tools = {
      workloads,
      agents: agents as unknown as Agents,
      cluster: api.cluster,
      observer: { saw: () => undefined },
      refresh: new Refresh(run, api.cluster),
    };
    return made;
  }

  get run() {
    return this.world.run;
  }

  get api(): FakeApi {
    return this.#api as FakeApi;
  }

  get tools(): EncryptionTools {
    return this.#tools as EncryptionTools;
  }

  agent(name: string): Agent {
    const found = this.agents.find(({ pod }) => pod.name === name);
    if (!found) throw new Error(`no agent ${name}`);
    return found;
  }

  /** Events of some kinds, without what they are about where that is not asked for. */
  happened(...kinds: string[]): string[] {
    return this.events.filter((event) => kinds.includes(event.split(' ')[0] ?? ''));
  }

  secret(name: string): KubernetesObject | undefined {
    return this.api.objects.get(`${SECRETS}${name}`);
  }

  /** The pod is gone, and its successor comes, with the files as they are then. */
  replace(agent: Agent): void {
    agent.isAway = true;
    this.#show(agent);
    this.world.gone(agent.pod);
    agent.pod = { ...agent.pod, uid: `${agent.pod.uid}-next` };
    setTimeout(() => {
      agent.isAway = false;
      this.mount(agent);
      this.load(agent, { isStart: true });
      this.world.tell(agent.pod);
      this.#event(`start ${agent.pod.name}`);
    }, this.awayMs);
  }

  /** An agent whose files somebody has changed takes plaintext, too. */
  relax(agent: Agent): void {
    agent.tls.incoming = false;
    this.#show(agent);
  }

  /** Gives a pod the files that its Secrets have now. */
  mount(agent: Agent): void {
    const role = agent.isServer ? 'server' : 'client';
    agent.files = {
      gossip: textOf(this.secret('consul-gossip')),
      tls: textOf(this.secret(`consul-${role}-tls`)),
    };
    for (const look of [...agent.commands]) look();
  }

  #poked(name: string): void {
    const agent = this.agents.find(({ pod }) => pod.name === name);
    if (!agent || this.late.delete(name)) return;
    this.mount(agent);
  }

  #event(event: string): void {
    this.events.push(event);
    this.#judge(event);
  }

  /** What an agent takes over from its files. */
  load(agent: Agent, { isStart }: { isStart: boolean }): void {
    const { gossip, tls } = agent.files;
    if (isStart) {
      const settings = JSON.parse(gossip['gossip.json'] || '{}');
      const keys = JSON.parse(gossip.keyring || '[]') as string[];
      const isKeyed = keys.length > 0;
      agent.gossip = {
        keys,
        sends: isKeyed && settings.encrypt_verify_outgoing !== false,
        strict: isKeyed && settings.encrypt_verify_incoming !== false,
      };
    }
    const rpc = JSON.parse(tls['tls.json'] || '{}').tls?.internal_rpc;
    const isAnnounced = isStart ? rpc !== undefined : agent.tls.isAnnounced;
    agent.tls = {
      ca: (rpc && tls['ca.crt']) ?? '',
      certificate: (rpc && tls['tls.crt']) ?? '',
      key: (rpc && tls['tls.key']) ?? '',
      incoming: rpc?.verify_incoming ?? false,
      outgoing: rpc?.verify_outgoing ?? false,
      isAnnounced,
    };
    this.#show(agent);
  }

  /** What is on the wire. */
  #show({ pod: { name }, isServer, gossip, tls, isAway }: Agent): void {
    const { world } = this;
    for (const ports of isServer ? [world.unheard, world.withoutRpc] : [world.unheard]) {
      if (isAway) ports.add(name);
      else ports.delete(name);
    }
    const answer = gossip.strict ? REFUSAL : ACK;
    world.gossip.set(name, gossip.sends ? ENCRYPTED(answer) : PLAINTEXT);
    const pair = { certificate: tls.certificate, key: tls.key };
    const rpc: FakeRpc = { takesPlaintext: !tls.incoming, ...(tls.certificate && { pair }) };
    if (isServer) world.rpc.set(name, rpc);
  }

  #restart(agent: Agent): void {
    const away = this.agents.filter(({ isServer, isAway }) => isAway && isServer === agent.isServer);
    if (agent.isServer && away.length > 0) this.broken.push(`${agent.pod.name} is not the only server away`);
    if (agent.isServer && this.leader === this.agents.indexOf(agent))
      this.broken.push(`${agent.pod.name} was restarted while it led`);
    agent.restarts += 1;
    agent.isAway = true;
    this.load(agent, { isStart: true });
    this.world.tell({ ...agent.pod, ready: false });
    this.#event(`restart ${agent.pod.name}`);
    setTimeout(() => {
      agent.isAway = false;
      this.#show(agent);
      this.world.tell(agent.pod);
    }, this.awayMs);
  }

  #answer(name: string, request: FakeRequest): FakeAnswer | 'silence' | undefined {
    const agent = this.agent(name);
    const { method, path } = request;
    const own = this.before(name, request);
    if (own) return own;
    if (agent.isAway) return { status: 500, text: 'No cluster leader' };
    if (path === '/v1/operator/raft/transfer-leader') {
      this.leader = (this.leader + 1) % 3;
      this.events.push(`lead consul-server-${this.leader}`);
      return { body: { Success: true } };
    }
    if (path === '/v1/status/leader') return { body: `10.0.0.${this.leader + 1}:8300` };
    if (path === '/v1/operator/raft/configuration') return this.#raft(name);
    if (path === '/v1/agent/reload') return this.#reload(agent);
    if (path === '/v1/agent/self') return { body: self(agent) };
    if (path === '/v1/agent/services' || path === '/v1/agent/checks') return { body: {} };
    if (path === '/v1/catalog/datacenters') return { body: this.datacenters };
    if (path === '/v1/operator/keyring') return this.#keyring(method, request.body);
    if (path === '/v1/health/service/consul')
      return lack(this.agents, agent) === undefined ? { body: [] } : { status: 503, text: 'rpc error' };
    return undefined;
  }

  #raft(name: string): FakeAnswer {
    const answer = healthyAnswers(name)['/v1/operator/raft/configuration']?.body as {
      Servers: { Leader: boolean }[];
    };
    const Servers = answer.Servers.map((one, at) => ({ ...one, Leader: at === this.leader }));
    return { body: { ...answer, Servers } };
  }

  #reload(agent: Agent): FakeAnswer {
    const { certificate, key } = { certificate: agent.files.tls['tls.crt'], key: agent.files.tls['tls.key'] };
    if (certificate && key && !isPair(certificate, key))
      return { status: 500, text: 'tls: private key does not match public key' };
    agent.reloads += 1;
    this.load(agent, { isStart: false });
    this.#event(`reload ${agent.pod.name}`);
    return { text: '' };
  }

  #keyring(method: string, body: string): FakeAnswer {
    const answer = keyring(this.agents, method, body);
    const change = { POST: 'install', PUT: 'use', DELETE: 'remove' }[method];
    if (change !== undefined && answer.status === undefined) this.#event(change);
    return answer;
  }

  /** Whether every agent understands every other, also one that starts now with the files of its pod. */
  #judge(event: string): void {
    for (const agent of this.agents) {
      const why = lack(this.agents, agent) ?? deaf(this.agents, agent);
      if (why !== undefined) this.broken.push(`${event}: ${why}`);
    }
    const secret = textOf(this.secret('consul-gossip'));
    const found = [
      ['a new pod', secret] as const,
      ...this.agents.map(({ pod, files }) => [pod.name, files.gossip] as const),
    ];
    for (const [name, files] of found) {
      const why = foreign(this.agents, files);
      if (why !== undefined) this.broken.push(`${event}: ${name} would start with ${why}`);
    }
  }

  /** The command with which the product looks for files and ends an agent. */
  #serveCommands(): void {
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (protocols) => [...protocols][0] ?? false,
    });
    this.api.server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (this.refuse !== undefined && request.url?.includes(`/pods/${this.refuse}/`))
        return void socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      sockets.handleUpgrade(request, socket, head, (pod) => this.#command(pod, request.url ?? ''));
    });
    onTestFinished(() => {
      for (const pod of sockets.clients) pod.terminate();
      sockets.close();
    });
  }

  #command(socket: WebSocket, url: string): void {
    const { pathname, searchParams } = new URL(url, 'http://api');
    const agent = this.agent(pathname.split('/').at(-2) ?? '');
    const [, , script = '', , ...words] = searchParams.getAll('command');
    const isRestart = script.includes('kill -USR1 1');
    const word = isRestart ? words[0] : 'follow';
    const wanted = isRestart ? words.slice(1) : words;
    const [path = '', revision = ''] = wanted;
    this.events.push(`command ${agent.pod.name}`);
    const say = (channel: number, text: string) =>
      socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)]));
    const end = (text = '') => {
      agent.commands.delete(look);
      clearTimeout(timer);
      if (text) say(1, text);
      say(3, '{"metadata":{},"status":"Success"}');
      socket.close(1000);
    };
    let said = '';
    const at = (file: string) =>
      (file.includes('gossip') ? agent.files.gossip : agent.files.tls).revision ?? '';
    const hasAll = () => wanted.every((file, n) => n % 2 === 1 || at(file) === wanted[n + 1]);
    const look = () => {
      const now = at(path);
      if (now !== said) this.events.push(`files ${agent.pod.name} ${now}`);
      if (isRestart) {
        said = now;
        if (!hasAll()) return word === 'restart' ? end('old\n') : undefined;
        if (word === 'restart' && this.drops(agent.pod.name)) return socket.terminate();
        if (word === 'restart') this.#restart(agent);
        end(word === 'restart' ? 'new\n' : 'there\n');
        return;
      }
      if (now !== said) say(1, `${now}\n`);
      said = now;
      if (now === revision) end();
    };
    const timer = setTimeout(() => end(isRestart ? 'old\n' : ''), this.commandMs);
    agent.commands.add(look);
    socket.on('close', () => {
      clearTimeout(timer);
      agent.commands.delete(look);
    });
    look();
  }
}
