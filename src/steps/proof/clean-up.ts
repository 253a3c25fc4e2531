import pLimit from 'p-limit';
import { z } from 'zod';
import type { ConsulClient } from '../../consul/client.ts';
import { SMOKE_PREFIX } from '../../consul/proofs/keyvalue.ts';
import { deregisterPath, SMOKE_SERVICE } from '../../consul/proofs/registration.ts';
import { Failure } from '../../failure.ts';
import type { Transport } from '../../kubernetes/http/transport.ts';
import { listObjects } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { type PodView, podView } from '../../rollout/pod.ts';
import { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';

/** Connections that are open at once, each through the API server: there may be thousands of clients. */
const PARALLEL = 16;

const servicesAnswer = z.record(z.string(), z.unknown());

/** What was found and removed. */
export interface Cleaned {
  services: number;
  /** Pods that could not be asked, and why. */
  missed: string[];
}

/**
 * Removes the smoke key and the smoke services of a run that was killed, by asking: there is no record of them.
 * Whoever calls this holds the cluster's lock, so that they belong to nobody else. What is missed expires in
 * minutes. @throws the errors of the API server, and the reason of the signal
 */
export async function removeSmoke(
  transport: Transport,
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<Cleaned> {
  const pods = await runningPods(transport, namespace, name, signal);
  const cleaned: Cleaned = { services: 0, missed: [] };
  const attempt = async (pod: PodView, act: (agent: ConsulClient) => Promise<void>) => {
    const agents = new Agents(transport, namespace);
    try {
      await act(agents.client(pod));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      cleaned.missed.push(`${pod.name}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    } finally {
      agents.close();
    }
  };
  for (const server of pods.filter(({ labels }) => labels['consul-role'] === 'server')) {
    if (await attempt(server, (agent) => removeKeys(agent, signal))) break;
  }
  const clients = pods.filter(({ labels }) => labels['consul-role'] === 'client');
  const limit = pLimit(PARALLEL);
  await Promise.all(
    clients.map((client) =>
      limit(() =>
        attempt(client, async (agent) => {
          const removed = await removeServices(agent, signal);
          cleaned.services += removed;
        }),
      ),
    ),
  );
  return cleaned;
}

/** What the run whose lock was taken over has left behind. It would expire by itself, so that this fails no run. */
export async function cleanUpAfter(run: Run, { transport }: Pick<Cluster, 'transport'>): Promise<void> {
  try {
    const { services, missed } = await removeSmoke(transport, run.config, run.signal);
    run.log.info(`removed what the run before had left: smoke keys and ${services} smoke services`);
    for (const why of missed) run.log.debug(`not cleaned up: ${why}`);
  } catch (error) {
    run.signal.throwIfAborted();
    run.warn(`What the run before has left expires within minutes: ${Failure.from(error).message}`);
  }
}

async function runningPods(
  transport: Transport,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<PodView[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const project = (raw: KubernetesObject) => {
    const pod = podView(raw);
    return pod.phase === 'Running' && !pod.terminating ? [pod] : [];
  };
  return listObjects(transport, path, { labelSelector: `app=${name}`, project }, signal);
}

async function removeKeys(agent: ConsulClient, signal: AbortSignal): Promise<void> {
  await agent.delete(`/v1/kv/${SMOKE_PREFIX}`, { signal, query: { recurse: true } });
}

async function removeServices(agent: ConsulClient, signal: AbortSignal): Promise<number> {
  const { body } = await agent.get('/v1/agent/services', { signal });
  const left = Object.keys(servicesAnswer.parse(body)).filter((id) => id.startsWith(SMOKE_SERVICE));
  for (const id of left) {
    await agent.put(deregisterPath(id), undefined, { signal, accept: [404] });
  }
  return left.length;
}
