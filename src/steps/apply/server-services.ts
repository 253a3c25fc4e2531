import { type Member, membersAnswer } from '../../consul/quorum/evidence-answer.ts';
import {
  type AddressedServer,
  type AddressTrouble,
  addressTroubles,
} from '../../consul/quorum/server-address.ts';
import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { clusterIpOf } from '../../kubernetes/cluster-ip.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Run } from '../../session/run.ts';
import { isServers, type LiveServers, runningServers } from '../../session/servers.ts';

/** An agent answers this by itself, also without a leader. */
const ANSWER_MS = 3_000;

/**
 * The Services of servers that advertise their addresses are state: one that was removed and is made again gets another
 * address, and nobody finds its server at that. So a missing one is put back with the address that its server has.
 * Asked before the first write.
 * @returns the Services to put back, each with its address: to be applied before anything else, since the address may
 *   be somebody else's by now, which no dry run tells
 * @throws Failure `quorum` where a Service has another address than its server tells others, since a restart of the
 *   server is needed then
 */
export async function missingServices(
  run: Run,
  planned: readonly PlannedObject[],
  { workloads, agents }: LiveServers,
): Promise<PlannedObject[]> {
  if (!planned.some((one) => isServers(run, one) && one.live)) return [];
  const services = new Map(
    planned.flatMap((one) =>
      one.desired.kind === 'Service' ? [[one.desired.metadata.name, one] as const] : [],
    ),
  );
  await workloads.untilSynced(run.signal);
  const pods = workloads.pods('server').filter((pod) => pod.advertisesService);
  const running = runningServers(workloads).filter((pod) => pod.advertisesService);
  const pools = new Map(
    await Promise.all(running.map(async (pod) => [pod.name, await membersBy(run, agents, pod)] as const)),
  );
  const known = pods.flatMap(({ name }): AddressedServer[] => {
    // Its own word counts; of one that is silent the others know it.
    const said = [pools.get(name) ?? [], ...pools.values()].flat().find((member) => member.name === name);
    const service = clusterIpOf(services.get(name)?.live);
    if (said) return [{ name, has: said.ip, service }];
    if (service === undefined)
      run.warn(`Service/${name} is gone, and no server tells which address it had: it gets another one.`);
    return [];
  });
  const troubles = addressTroubles(known);
  const lasting = troubles.filter(({ kind }) => kind !== 'gone');
  if (lasting.length > 0) throw moved(run, lasting);
  return troubles.flatMap(({ name, has }) => {
    const service = services.get(name);
    if (!service) return [];
    run.log.info(`Service/${name} is gone: put back with the address that its server tells others, ${has}`);
    const spec = { ...(service.desired.spec as object), clusterIP: has };
    return [{ ...service, desired: { ...service.desired, spec } }];
  });
}

/** The members of the pool as a server knows them; none where it does not answer: a deploy may be what repairs it. */
async function membersBy(run: Run, agents: Pick<Agents, 'client'>, pod: PodView): Promise<Member[]> {
  try {
    const { body } = await agents
      .client(pod)
      .get('/v1/agent/members', { signal: run.signal, timeoutMs: ANSWER_MS, partial: true });
    return membersAnswer.parse(body);
  } catch {
    run.signal.throwIfAborted();
    return [];
  }
}

function moved(run: Run, troubles: readonly AddressTrouble[]): Failure {
  const { namespace } = run.config;
  const names = troubles.map(({ name }) => name);
  const lines = troubles.map(({ name: server, has, service, kind }) =>
    kind === 'taken'
      ? `${server} tells others ${has}, which the Service of another server has now`
      : `${server} tells others ${has}, and its Service is ${service}`,
  );
  // One by one they wait for each other: none is ready that does not reach the leader, which is still at an address of before.
  const again =
    names.length === 1
      ? 'Delete the pod of this server, which comes back with its data and its new address'
      : 'Delete the pods of these servers, all at the same time: they come back with their data and their new addresses';
  const isTaken = troubles.some(({ kind }) => kind === 'taken');
  return new Failure({
    reason: 'quorum',
    what: `servers tell others an address that is not theirs any more: ${lines[0]}`,
    where: `Service/${troubles[0]?.name} in namespace ${namespace}`,
    hint: isTaken
      ? `Nothing was changed. Give the Services their addresses back (\`spec.clusterIP\`), since Raft would take one server for another. Where that cannot be, save a snapshot first.`
      : `Nothing was changed. ${again}: kubectl -n ${namespace} delete pod ${names.join(' ')}`,
    details: lines.length > 1 ? lines : [],
  });
}
