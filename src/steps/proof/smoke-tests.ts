import { randomUUID } from 'node:crypto';
import { canonicalAddress, recordType } from '../../consul/address.ts';
import { queryDns } from '../../consul/proofs/dns.ts';
import { proveKeyValue, SMOKE_PREFIX } from '../../consul/proofs/keyvalue.ts';
import {
  proveRegistration,
  type RegistrationProof,
  SMOKE_SERVICE,
  spreadSample,
} from '../../consul/proofs/registration.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { allOrFirst } from '../../session/all-or-first.ts';
import type { CurrentPods } from '../../session/current-pods.ts';
import type { Run } from '../../session/run.ts';
import { retried } from './tries.ts';

/** Agents that get a service of their own; above this many, a spread sample. */
const MOST_AGENTS = 20;
/** What a proof goes through. */
export interface Through {
  agents: Pick<Agents, 'client' | 'dns'>;
  pods: CurrentPods;
}

/** A key written, replicated to every server, and gone again everywhere. */
export async function smokeKeyValue(
  run: Run,
  { agents, pods }: Through,
): Promise<{ commitMs: number; failedWrites: number }> {
  const check = {
    id: 'smoke-kv',
    title: 'Key/value',
    group: 'smoke',
    expected: `a write, seen on ${pods.serverCount} of ${count(pods.serverCount, 'server')}, then deleted`,
  } as const;
  let tries = 0;
  let commitMs = 0;
  await untilProven(run, check, pods, async (servers, signal) => {
    tries += 1;
    const clients = servers.map((pod) => agents.client(pod));
    const [writer] = clients;
    if (!writer) throw new TypeError('no servers to write to');
    const key = `${SMOKE_PREFIX}${randomUUID()}`;
    const onStep = (step: string) => run.log.debug(`key/value: ${step}`);
    const proof = await proveKeyValue({ writer, servers: clients, key, value: key, signal, onStep });
    commitMs = proof.commitMs;
    return `committed in ${proof.commitMs.toFixed(0)} ms, on all servers ${proof.replicationMs.toFixed(0)} ms later, deleted`;
  });
  return { commitMs, failedWrites: tries - 1 };
}

/** A service at every agent (or a sample), seen by a server and in DNS, and gone again; each tries by itself. */
export async function smokeServices(run: Run, through: Through): Promise<void> {
  const { config } = run;
  const { pods } = through;
  const ready = pods.readyClients();
  const sample = spreadSample(ready, MOST_AGENTS);
  const check = {
    id: 'smoke-service',
    title: config.smokeDns ? 'Service registration and DNS' : 'Service registration',
    group: 'smoke',
    expected: `registered at ${sample.length} of ${count(ready.length, 'client')}, seen by a server${config.smokeDns ? ' and in DNS' : ''}, gone again`,
  } as const;
  if (sample.length === 0) {
    run.skip({ ...check, observed: 'there are no clients' });
    return;
  }
  const seenMs: number[] = [];
  const without: string[] = [];
  const tell = (trouble?: string) => {
    const done = `${seenMs.length} of ${sample.length}`;
    run.check({ ...check, observed: trouble ? `${done}; ${trouble}` : done, passed: false });
  };
  tell();
  await allOrFirst(
    run,
    sample.map(async (agent, index) => {
      const proof = await retried(
        run,
        { title: check.title, agent, tell },
        async () => ({ pod: await pods.client(agent), servers: await pods.servers() }),
        ({ pod, servers }, signal) => registerAt(run, through.agents, { agent, pod, servers, index }, signal),
      );
      if (proof === 'unneeded') without.push(agent);
      else seenMs.push(proof.seenMs);
      tell();
    }),
  );
  // All of them are gone by now, and others may be ready.
  if (seenMs.length === 0) return smokeServices(run, through);
  const slowest = Math.max(...seenMs).toFixed(0);
  const rest = without.length === 1 ? 'which is not ready' : 'which are not ready';
  const left = without.length > 0 ? `; without ${without.join(', ')}, ${rest}` : '';
  run.check({
    ...check,
    observed: `${count(seenMs.length, 'service')}, the slowest seen after ${slowest} ms, all gone again${left}`,
    passed: true,
  });
}

interface Place {
  agent: string;
  pod: PodView | 'unneeded';
  servers: readonly PodView[];
  index: number;
}

async function registerAt(
  run: Run,
  agents: Through['agents'],
  { agent, pod, servers, index }: Place,
  signal: AbortSignal,
): Promise<RegistrationProof | 'unneeded'> {
  const { config } = run;
  if (pod === 'unneeded') return pod;
  const server = servers[index % servers.length];
  if (!server) throw new TypeError('no servers to ask');
  const id = `${SMOKE_SERVICE}${randomUUID().slice(0, 8)}`;
  return proveRegistration({
    agent: { client: agents.client(pod), nodeName: agent },
    server: agents.client(server),
    service: { name: id, id },
    signal,
    onStep: (step) => run.log.debug(`service: ${step}`),
    ...(config.smokeDns && {
      dns: (name: string) =>
        queryDns(agents.dns(pod), `${name}.service.${config.domain}`, recordType(pod.ip ?? ''), signal),
    }),
  });
}

/** Without clients, DNS is proved on the servers: each has to know all of them. */
export async function smokeServerDns(run: Run, { agents, pods }: Through): Promise<void> {
  const name = `consul.service.${run.config.domain}`;
  const check = {
    id: 'smoke-dns',
    title: 'DNS',
    group: 'smoke',
    expected: `${name} gives ${count(pods.serverCount, 'address', 'addresses')} at every server`,
  } as const;
  await untilProven(run, check, pods, async (servers, signal) => {
    const wanted = servers.map((pod) => canonicalAddress(pods.serverAddress(pod))).sort();
    for (const pod of servers) {
      const answer = await queryDns(agents.dns(pod), name, recordType(pod.ip ?? ''), signal);
      const got = [...new Set(answer.addresses)].sort();
      if (got.join() !== wanted.join()) {
        throw new Failure({
          reason: 'rejected',
          what: `${name} gives ${got.join(', ') || answer.rcode}, not ${wanted.join(', ')}`,
          where: pod.name,
          hint: 'The catalog does not hold the servers as they are.',
        });
      }
    }
    return `${wanted.join(', ')} from each of ${servers.length}`;
  });
}

/** A consistent read: the leader confirms with a quorum that it still leads before it answers. */
export async function consistentRead(run: Run, { agents, pods }: Through): Promise<void> {
  const check = {
    id: 'quorum-read',
    title: 'Consistent read',
    group: 'quorum',
    expected: 'an answer that the leader has confirmed with a quorum, through every server',
  } as const;
  await untilProven(run, check, pods, async (servers, signal) => {
    const query = { consistent: true };
    await Promise.all(
      servers.map((pod) =>
        agents.client(pod).get(`/v1/kv/${SMOKE_PREFIX}none`, { signal, query, accept: [404] }),
      ),
    );
    return `through ${servers.length} of ${count(servers.length, 'server')}`;
  });
}

type CheckHead = { id: string; title: string; group: 'quorum' | 'smoke'; expected: string };

/** One proof through all servers that is one check. */
async function untilProven(
  run: Run,
  check: CheckHead,
  pods: CurrentPods,
  prove: (servers: readonly PodView[], signal: AbortSignal) => Promise<string>,
): Promise<void> {
  const tell = (observed: string) => run.check({ ...check, observed, passed: false });
  tell('not tried yet');
  const observed = await retried(run, { title: check.title, tell }, () => pods.servers(), prove);
  run.check({ ...check, observed, passed: true });
}
