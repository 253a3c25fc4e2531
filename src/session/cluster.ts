import type { Config } from '../config/config.ts';
import { Failure } from '../failure.ts';
import { Discovery } from '../kubernetes/discovery.ts';
import { apiFailure } from '../kubernetes/error.ts';
import type { Transport } from '../kubernetes/http/transport.ts';
import type { Log } from '../report/log.ts';
import { secretsIn } from '../secret/find.ts';
import { clusterMismatch } from './expected-cluster.ts';
import type { Run } from './run.ts';
import { VERSION } from './version.ts';

/** A cluster that answers, and is the one that is meant. */
export interface Cluster {
  transport: Transport;
  discovery: Discovery;
}

/** @param mask is given each secret before its first use */
export async function openTransport(
  { kubeconfig, context }: Pick<Config, 'kubeconfig' | 'context'>,
  mask: (secret: string) => void,
): Promise<Transport> {
  // Only here, since it brings a whole HTTP client along: rendering, and telling of mistakes in the inputs, need none.
  const { Transport } = await import('../kubernetes/http/transport.ts');
  const transport = await Transport.connect({
    ...(kubeconfig.kind === 'path' && { path: kubeconfig.path }),
    ...(kubeconfig.kind === 'inline' && { yaml: kubeconfig.yaml }),
    ...(context !== undefined && { context }),
    userAgent: `consul-deploy/${VERSION}`,
  });
  for (const secret of transport.secrets) mask(secret);
  transport.onToken = mask;
  const known = new Set<string>();
  transport.onObject = (object) => {
    for (const secret of secretsIn(object)) {
      if (!known.has(secret)) mask(secret);
      known.add(secret);
    }
  };
  return transport;
}

/** Connects, does the work, and ends the connections whatever comes of it. */
export async function withCluster<T>(
  run: Run,
  mask: (secret: string) => void,
  title: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await run.phase('connect', title, () => connect(run, mask));
  try {
    return await work(cluster);
  } finally {
    await cluster.transport.close();
  }
}

export async function connect(run: Run, mask: (secret: string) => void): Promise<Cluster> {
  const { config, log, signal } = run;
  const transport = await openTransport(config, mask);
  try {
    transport.onRetry = sparing(log);
    run.known.cluster = {
      server: transport.server,
      ...(transport.context !== undefined && { context: transport.context }),
    };
    guard(run, transport);
    const [version, discovery] = await Promise.all([
      serverVersion(transport, signal),
      Discovery.load(transport, signal),
    ]);
    run.known.cluster.version = version;
    log.info(`Kubernetes ${version} at ${transport.server}`);
    return { transport, discovery };
  } catch (error) {
    await transport.close();
    throw apiFailure(error, { verb: 'get', object: 'API discovery' });
  }
}

/** While the API server is away, many calls are tried again: one of them in a while tells the reader enough. */
const RETRY_LINE_MS = 5_000;

function sparing(log: Log): (message: string) => void {
  let nextMs = 0;
  return (message) => {
    const nowMs = performance.now();
    if (nowMs < nextMs) return log.debug(message);
    nextMs = nowMs + RETRY_LINE_MS;
    log.info(message);
  };
}

/** `expect-cluster`: the last line of defence against the right deploy to the wrong cluster. */
function guard(run: Run, { server, context }: Transport): void {
  const expected = run.config.expectCluster;
  if (expected === undefined) return;
  const mismatch = clusterMismatch(expected, server, context);
  const observed = context === undefined ? server : `${server}, context ${context}`;
  const passed = mismatch === undefined;
  run.check({ id: 'cluster-expected', title: 'Cluster', group: 'cluster', expected, observed, passed });
  if (passed) return;
  throw new Failure({
    reason: 'wrong-cluster',
    what: mismatch,
    where: 'expect-cluster',
    hint: 'Nothing was changed. Point `kubeconfig` or `context` to the cluster that is meant, or correct the glob.',
  });
}

async function serverVersion(transport: Transport, signal: AbortSignal): Promise<string> {
  try {
    const { body } = await transport.request<{ gitVersion: string }>({
      method: 'GET',
      path: '/version',
      signal,
    });
    return body.gitVersion;
  } catch (error) {
    signal.throwIfAborted();
    throw apiFailure(error, { verb: 'get', object: '/version' });
  }
}
