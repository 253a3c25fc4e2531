import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newAuthority, newLeaf } from '../../../src/certificates/authority.ts';
import { guardScript } from '../../../src/manifests/server/guard.ts';
import { config } from '../fixture.ts';

/** What a server that is asked answers; none for one that is not there. */
interface Peer {
  /** Addresses without a port; undefined: it answers 403, as with ACLs. */
  peers?: string[];
  leader?: string;
  /** Whether a removal takes effect. */
  removes?: boolean;
}

const RAFT_PORT = 8300;

const authority = await newAuthority('consul');
/** Of every server, as a deploy makes it. */
const pair = await newLeaf(authority, { dns: ['server.dc1.consul'], ips: [] });
const stranger = await newLeaf(await newAuthority('other'), { dns: ['server.dc1.consul'], ips: [] });

/** Real HTTP servers at 127.0.0.1, .2, .3 … with one port: the Services of the servers. */
class Peers {
  readonly #peers: Record<number, Peer>;
  readonly #servers: Server[] = [];
  readonly removed: string[] = [];
  /** Resolved each time somebody is asked. */
  asked = 0;
  port = 0;
  readonly #pair: typeof pair | undefined;

  /** @param tls with which they serve HTTPS; plain HTTP without */
  constructor(peers: Record<number, Peer>, tls?: typeof pair) {
    this.#peers = peers;
    this.#pair = tls;
  }

  get isPlain(): boolean {
    return this.#pair === undefined;
  }

  set(ordinal: number, peer: Peer): void {
    this.#peers[ordinal] = peer;
  }

  async start(): Promise<void> {
    for (const ordinal of Object.keys(this.#peers).map(Number)) {
      const answer: RequestListener = (request, response) => {
        this.asked += 1;
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
        const said = this.#answer(ordinal, request.method ?? '', pathname, searchParams.get('id'));
        response.writeHead(said === undefined ? 403 : 200).end(said);
      };
      const { certificate: cert, key } = this.#pair ?? {};
      const server = cert && key ? createTlsServer({ cert, key }, answer) : createServer(answer);
      await new Promise<void>((resolve) => server.listen(this.port, addressOf(ordinal), resolve));
      this.port = (server.address() as { port: number }).port;
      this.#servers.push(server);
    }
  }

  #answer(ordinal: number, method: string, path: string, id: string | null): string | undefined {
    const peer = this.#peers[ordinal];
    if (!peer?.peers) return undefined;
    if (path === '/v1/status/peers') return JSON.stringify(peer.peers.map((ip) => `${ip}:${RAFT_PORT}`));
    if (path === '/v1/status/leader') return JSON.stringify(peer.leader ? `${peer.leader}:${RAFT_PORT}` : '');
    if (path === '/v1/operator/raft/configuration') {
      const servers = peer.peers.map((ip) => ({
        ID: `id-of-${ip}`,
        Node: ip,
        Address: `${ip}:${RAFT_PORT}`,
        Leader: ip === peer.leader,
        ProtocolVersion: '3',
        Voter: true,
      }));
      return JSON.stringify({ Servers: servers, Index: 7 });
    }
    if (method === 'DELETE' && path === '/v1/operator/raft/peer' && id !== null) {
      this.removed.push(id);
      if (peer.removes) {
        for (const one of Object.values(this.#peers)) {
          if (one.peers) one.peers = one.peers.filter((ip) => `id-of-${ip}` !== id);
        }
      }
      return '';
    }
    return undefined;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}

function addressOf(ordinal: number): string {
  return `127.0.0.${ordinal + 1}`;
}

interface Guarded {
  /** Exit code once the guard has let the server go. */
  ended: Promise<number | null>;
  child: ChildProcess;
  output: () => string;
  /** Resolves when this has been said. */
  said: (words: RegExp) => Promise<void>;
}

async function guard(
  peers: Peers,
  {
    servers = 3,
    ordinal = 2,
    formed = true,
    data = '',
    https = 'off',
  }: {
    servers?: 3 | 5;
    ordinal?: number;
    formed?: boolean;
    data?: string;
    https?: 'off' | 'only';
  } = {},
): Promise<Guarded> {
  await peers.start();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'consul-deploy-guard-'));
  if (data) {
    await mkdir(join(dataDirectory, 'raft', 'wal'), { recursive: true });
    await writeFile(join(dataDirectory, 'raft', data), 'log');
  }
  await writeFile(join(dataDirectory, 'tls-ca.pem'), authority.certificate);
  const settings = {
    dataDirectory,
    configDirectory: dataDirectory,
    // What serves HTTPS has no port for plain HTTP, and the other way round.
    httpPort: peers.isPlain ? peers.port : 1,
    httpsPort: peers.isPlain ? 1 : peers.port,
    raftPort: RAFT_PORT,
    pauseSeconds: 0.05,
  };
  const child = spawn(
    '/bin/sh',
    ['-c', `set -f\n${guardScript(config({ servers, https }), settings)}\nguard\necho let go`],
    {
      env: {
        PATH: process.env.PATH,
        POD_NAME: `consul-server-${ordinal}`,
        ...(formed && { FORMED: 'true' }),
        ...Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`CONSUL_SERVER_${n}_SERVICE_HOST`, addressOf(n)])),
      },
    },
  );
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
      for (const listener of listeners) listener();
    });
  }
  onTestFinished(async () => {
    child.kill('SIGKILL');
    peers.close();
    await rm(dataDirectory, { recursive: true, force: true });
  });
  return {
    child,
    ended: new Promise((resolve) => child.on('close', resolve)),
    output: () => output,
    said: (words) =>
      new Promise((resolve) => {
        const listener = () => words.test(output) && resolve();
        listeners.add(listener);
        listener();
      }),
  };
}

const all = (...ordinals: number[]) => ordinals.map(addressOf);

test.each(['raft.db', 'wal/wal-meta.db'])('a server with data (%s) starts and asks nobody', async (data) => {
  const peers = new Peers({ 0: { peers: all(0, 1, 2), leader: addressOf(0) } });
  const { ended, output } = await guard(peers, { data });
  expect(await ended).toBe(0);
  expect(output()).toBe('let go\n');
  expect(peers.asked).toBe(0);
});

test('the servers of a new cluster start, whether the others run already or not', async () => {
  const peers = new Peers({ 0: { peers: [] } });
  const { ended, output } = await guard(peers, { formed: false });
  expect(await ended).toBe(0);
  expect(output()).toBe('let go\n');
});

test('a new server starts where a majority of the voters leave it out', async () => {
  const peers = new Peers({
    0: { peers: all(0, 1), leader: addressOf(0) },
    1: { peers: all(0, 1), leader: addressOf(0) },
  });
  const { ended, output } = await guard(peers);
  expect(await ended).toBe(0);
  expect(output()).toBe('let go\n');
  expect(peers.removed).toEqual([]);
});

test('one server grows to three: the second starts while the third is not there', async () => {
  const peers = new Peers({ 0: { peers: all(0), leader: addressOf(0) } });
  expect(await (await guard(peers, { ordinal: 1 })).ended).toBe(0);
});

test('with a leader the lost voter is removed by its id before the server starts', async () => {
  const peers = new Peers({
    0: { peers: all(0, 1, 2), leader: addressOf(0), removes: true },
    1: { peers: all(0, 1, 2), leader: addressOf(0), removes: true },
  });
  const { ended, output } = await guard(peers);
  expect(await ended).toBe(0);
  expect(peers.removed).toEqual([`id-of-${addressOf(2)}`]);
  expect(output()).toContain(`the leader has removed the voter id-of-${addressOf(2)}`);
  expect(output()).toMatch(/let go\n$/);
});

test('without a leader it does not start, says why, and starts when the others leave it out', async () => {
  const peers = new Peers({ 0: { peers: all(0, 1, 2) }, 1: { peers: all(0, 1, 2) } });
  const { ended, output, said } = await guard(peers);
  await said(/not started/);
  expect(output()).toMatch(
    /the data directory is empty, and( consul-server-[01]){2} still count this server as a voter/,
  );
  expect(output()).not.toContain('let go');
  expect(peers.removed).toEqual([]);
  peers.set(0, { peers: all(0, 1), leader: addressOf(0) });
  peers.set(1, { peers: all(0, 1), leader: addressOf(0) });
  expect(await ended).toBe(0);
});

test('the word of one that follows the lost vote is enough to wait', async () => {
  const peers = new Peers({
    0: { peers: all(0, 1), leader: addressOf(0) },
    1: { peers: all(0, 1, 2) },
  });
  const { output, said } = await guard(peers);
  await said(/removed the voter|did not remove|does not name|not started/);
  expect(output()).not.toContain('let go');
});

test('the lost server is no leader, though the others have not noticed yet', async () => {
  const others = { peers: all(0, 1, 2), leader: addressOf(2), removes: true };
  const peers = new Peers({ 0: { ...others }, 1: { ...others } });
  const { output, said } = await guard(peers);
  await said(/still count this server as a voter/);
  expect(peers.removed).toEqual([]);
  expect(output()).not.toContain('let go');
});

test('the leader alone, without a majority beside it, is not asked to remove anybody', async () => {
  const peers = new Peers({ 0: { peers: all(0, 1, 2, 3, 4), leader: addressOf(0), removes: true } });
  const { output, said } = await guard(peers, { servers: 5 });
  await said(/not started/);
  expect(peers.removed).toEqual([]);
  expect(output()).toMatch(/No answer:( consul-server-[134]){3}\./);
});

test.each([
  ['nobody answers', {}],
  ['nobody has a vote to tell of', { 0: { peers: [] }, 1: { peers: [] } }],
  ['ACLs hide it', { 0: {}, 1: {} }],
])('in a cluster that has formed before silence is no answer: %s', async (_, answers) => {
  const { output, said } = await guard(new Peers(answers));
  await said(/not started/);
  expect(output()).toContain('this cluster has formed before, and no other server says who votes');
  expect(output()).toContain(
    `kubectl -n consul patch configmap consul-deploy-consul --type=json -p '[{"op":"remove","path":"/data/formed"}]'`,
  );
  expect(output()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z \[WARN\] consul-deploy: not started: /);
  expect(output()).not.toContain('let go');
});

test('a pod that does not know the address of its Service ends, to be started again', async () => {
  const peers = new Peers({});
  const { ended, output } = await guard(peers, { ordinal: 7 });
  expect(await ended).toBe(1);
  expect(output()).toContain("the address of this server's Service is not known yet");
});

const lost = () => ({ peers: all(0, 1, 2), leader: addressOf(0), removes: true });

test.each([
  ['by HTTPS', pair],
  ['in plaintext while they do not serve HTTPS yet', undefined],
])('where agents serve HTTPS alone the others are asked %s', async (_, tls) => {
  const peers = new Peers({ 0: lost(), 1: lost() }, tls);
  const { ended, output } = await guard(peers, { https: 'only' });
  expect(await ended).toBe(0);
  expect(output()).toContain(`the leader has removed the voter id-of-${addressOf(2)}`);
  expect(peers.removed).toEqual([`id-of-${addressOf(2)}`]);
});

test('a server with a certificate of another authority is not believed', async () => {
  const free = { peers: all(0, 1), leader: addressOf(0) };
  const peers = new Peers({ 0: free, 1: free }, stranger);
  const { said, child, output } = await guard(peers, { https: 'only' });
  await said(/no other server says who votes/);
  expect(output()).not.toContain('let go');
  expect(child.exitCode).toBeNull();
});
