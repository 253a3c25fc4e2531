import type { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { ClientOptions } from 'ws';
import { Failure } from '../../failure.ts';
import type { Credential } from './credentials.ts';
import { Liveness, type LivenessTiming } from './liveness.ts';
import { environmentProxy } from './proxy.ts';

const CALL_CONNECTIONS = 16;
/**
 * Far below the 60 s after which many load balancers drop an idle connection without a word. Node asks ten times more, a
 * second apart: so long a stream may stand on a connection that is dead.
 */
const TCP_KEEP_ALIVE_MS = 10_000;
/** For the head of an answer; each call may have its own. */
const HEADERS_MS = 30_000;

/** All connections that share one client certificate. */
export interface Pools {
  calls: Dispatcher;
  /** Apart from the calls, which long streams would starve of connections; silence is no error here. */
  streams: Dispatcher;
  webSocketOptions: ClientOptions;
  /** On connections apart from all these, which may be dead. */
  liveness: Liveness;
}

type Tls = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;

/** Makes the pools once, and again only when a credential plugin hands out another client certificate. */
export class PoolSource {
  readonly server: string;
  readonly #kubeConfig: KubeConfig;
  readonly #timing: Partial<LivenessTiming>;
  #built: { certificate: string | undefined; pools: Promise<Pools> };
  readonly #all: Promise<Pools>[] = [];

  private constructor(
    server: string,
    kubeConfig: KubeConfig,
    timing: Partial<LivenessTiming>,
    pools: Promise<Pools>,
  ) {
    this.server = server;
    this.#kubeConfig = kubeConfig;
    this.#timing = timing;
    this.#built = { certificate: undefined, pools };
    this.#all.push(pools);
  }

  /** @throws Failure `kubeconfig` when the server's URL, a certificate or a key cannot be used */
  static async create(kubeConfig: KubeConfig, timing: Partial<LivenessTiming> = {}): Promise<PoolSource> {
    const server = kubeConfig.getCurrentCluster()?.server ?? '';
    if (!/^https?:/.test(server) || !URL.canParse(server)) {
      throw new Failure({
        reason: 'kubeconfig',
        what: 'the URL of the server is not a valid http or https URL',
        where: 'kubeconfig',
        hint: 'Look at `clusters[].cluster.server` in the kubeconfig.',
      });
    }
    const pools = await build(kubeConfig, timing);
    return new PoolSource(shownServer(server), kubeConfig, timing, Promise.resolve(pools));
  }

  /** The pools for this credential. */
  for(credential: Credential): Promise<Pools> {
    const certificate = credential.certificate?.cert;
    if (certificate !== this.#built.certificate) {
      // The old pools stay until the end: calls that began with them may still run.
      const pools = build(this.#kubeConfig, this.#timing, credential.certificate);
      this.#built = { certificate, pools };
      this.#all.push(pools);
    }
    return this.#built.pools;
  }

  async close(): Promise<void> {
    for (const result of await Promise.allSettled(this.#all)) {
      if (result.status === 'rejected') continue;
      const { calls, streams, liveness, webSocketOptions } = result.value;
      webSocketOptions.agent?.destroy();
      await Promise.all([calls.destroy(), streams.destroy(), liveness.close()]);
    }
  }
}

async function build(
  kubeConfig: KubeConfig,
  timing: Partial<LivenessTiming>,
  certificate?: Credential['certificate'],
): Promise<Pools> {
  const cluster = kubeConfig.getCurrentCluster();
  const server = cluster?.server ?? '';
  const proxy = cluster?.proxyUrl || environmentProxy(server);
  try {
    const { agent, ...tls } = await tlsOptions(kubeConfig, proxy, certificate);
    return {
      calls: dispatcher(proxy, tls, { connections: CALL_CONNECTIONS, bodyTimeout: 60_000 }),
      streams: dispatcher(proxy, tls, { connections: null, bodyTimeout: 0 }),
      webSocketOptions: { ...tls, ...(agent && { agent }) },
      liveness: new Liveness(
        server.replace(/(?<!\/)\/+$/, ''),
        dispatcher(proxy, tls, { connections: 1, bodyTimeout: HEADERS_MS }),
        timing,
      ),
    };
  } catch (error) {
    // The proxy's URL may hold a password, and the errors of the URL parser quote it.
    const detail = error instanceof Error && 'code' in error ? String(error.code) : 'unusable';
    throw new Failure({
      reason: 'kubeconfig',
      what: `a certificate, a key or the proxy's URL cannot be used (${detail})`,
      where: shownServer(server),
      hint: 'Look at certificate-authority, client-certificate, client-key and proxy-url in the kubeconfig, and at HTTPS_PROXY.',
    });
  }
}

/** Reads the files and base64 of the kubeconfig; with a proxy also makes the agent that tunnels WebSockets. */
async function tlsOptions(
  kubeConfig: KubeConfig,
  proxy: string | undefined,
  certificate: Credential['certificate'],
): Promise<Tls & { agent?: HttpAgent }> {
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster?.server.startsWith('https:')) return {};
  const user = kubeConfig.getCurrentUser();
  const { KubeConfig } = await import('@kubernetes/client-node');
  // A copy with a user that has only certificates: the original would run the credential plugin here.
  const copy = new KubeConfig();
  copy.loadFromClusterAndUser(
    { ...cluster, ...(proxy !== undefined && { proxyUrl: proxy }) },
    {
      name: 'certificates',
      ...(certificate
        ? { certData: base64(certificate.cert), keyData: base64(certificate.key) }
        : {
            ...(user?.certData && { certData: user.certData }),
            ...(user?.certFile && { certFile: user.certFile }),
            ...(user?.keyData && { keyData: user.keyData }),
            ...(user?.keyFile && { keyFile: user.keyFile }),
          }),
    },
  );
  const options: RequestOptions = {};
  await copy.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername, agent } = options;
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    ...(servername !== undefined && { servername }),
    ...(proxy !== undefined && typeof agent === 'object' && { agent }),
  };
}

function dispatcher(
  proxy: string | undefined,
  tls: Tls,
  limits: { connections: number | null; bodyTimeout: number },
): Dispatcher {
  const options = {
    ...limits,
    // HTTP/1.1: one slow answer holds up one connection, and a broken one breaks one call.
    allowH2: false,
    pipelining: 1,
    headersTimeout: HEADERS_MS,
    keepAliveTimeout: 30_000,
  };
  const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  return proxy === undefined
    ? new Agent({ ...options, connect })
    : new ProxyAgent({ ...options, uri: proxy, requestTls: connect });
}

/** Without user and password, which are of no use to a request and would stand in every message. */
function shownServer(server: string): string {
  const url = new URL(server);
  const bare = url.username === '' && url.password === '' ? server : withoutUser(url);
  return bare.replace(/(?<!\/)\/+$/, '');
}

function withoutUser(url: URL): string {
  const { href } = Object.assign(new URL(url), { username: '', password: '' });
  return href;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
