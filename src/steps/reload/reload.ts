import pLimit from 'p-limit';
import { metricsFilters, reload } from '../../consul/agent/reload.ts';
import { ConsulError, isPassing } from '../../consul/failure.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { isReload, markerOf } from '../../manifests/config/reload.ts';
import type { Role } from '../../manifests/label.ts';
import { AGENT_CONTAINER, agentConfigName } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import type { Refresh } from './refresh-files.ts';

const PARALLEL = 16;
/** Longer than a kubelet may take that is not made to look. */
const LIMIT_MS = 180_000;
const PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 2_000;

/** Agents of a role that should read a configuration which needs no start. */
export interface Reload {
  role: Role;
  /** Of the ConfigMap, for messages. */
  configMap: string;
  /** By which an agent tells that it has read it. */
  marker: string;
  /** The deploy before did not come to its end: the files that agents have now may be those that they refused then. */
  unfinished: boolean;
}

interface Tools {
  workloads: Pick<Workloads, 'pods' | 'isPresent' | 'runs' | 'untilSynced'>;
  agents: Pick<Agents, 'client'>;
  refresh: Pick<Refresh, 'poke' | 'takesMs'>;
}

/**
 * Which roles have to reload.
 * @param unfinished the deploy before did not come to its end: it may have written what no agent has read
 */
export function reloads({ config }: Run, planned: readonly PlannedObject[], unfinished: boolean): Reload[] {
  return ROLES.flatMap((role) => {
    const configMap = agentConfigName(config, role);
    const found = planned.find(
      ({ desired: { kind, metadata } }) => kind === 'ConfigMap' && metadata.name === configMap,
    );
    const marker = markerOf(found?.desired);
    if (!found?.live || marker === undefined) return [];
    return unfinished || isReload(found.live, found.desired) ? [{ role, configMap, marker, unfinished }] : [];
  });
}

/** Has every agent that runs read its configuration, until it says that it has. */
export async function reloadAgents(run: Run, all: readonly Reload[], tools: Tools): Promise<void> {
  if (all.length === 0) return;
  await tools.workloads.untilSynced(run.signal);
  const done: string[] = [];
  for (const one of all) {
    const agents = await reloadRole(run, one, tools);
    if (agents > 0) done.push(count(agents, one.role));
  }
  if (done.length === 0) return;
  run.check({
    id: 'configuration-loaded',
    title: 'Configuration loaded',
    group: 'servers',
    expected: 'every agent says that it has read the new one, none was restarted',
    observed: done.join(' and '),
    passed: true,
  });
}

/**
 * One agent goes first: what it refuses would be refused by all. Pods of an earlier template are about to be replaced.
 * @returns how many agents have read it
 */
async function reloadRole(run: Run, one: Reload, tools: Tools): Promise<number> {
  const { workloads } = tools;
  const pods = workloads.pods(one.role).filter((pod) => workloads.isPresent(one.role, pod));
  const others = pods.toReversed();
  let first = false;
  while (!first && others.length > 0) first = await readBy(run, one, others.shift() as PodView, tools);
  const limit = pLimit(PARALLEL);
  // All are awaited, so that none is still at it when the run goes on.
  const rest = await Promise.allSettled(others.map((pod) => limit(() => readBy(run, one, pod, tools))));
  const failed = rest.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return Number(first) + rest.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;
}

/**
 * Until the agent has read it, or does not run any more: then it reads its files when it starts.
 * @throws Failure `invalid-config`, `acl-denied` or `stalled`
 */
async function readBy(run: Run, one: Reload, pod: PodView, tools: Tools): Promise<boolean> {
  const { workloads, agents, refresh } = tools;
  const start = performance.now();
  let wait = PAUSE_MS;
  for (let at = 0; workloads.runs(one.role, pod, AGENT_CONTAINER); at++) {
    try {
      const client = agents.client(pod);
      if (at > 0) await reload(client, run.signal);
      if ((await metricsFilters(client, run.signal)).includes(one.marker)) {
        if (at > 0) run.log.info(`${pod.name} has read ConfigMap/${one.configMap} again`);
        return true;
      }
      run.known.changed = true;
    } catch (error) {
      run.signal.throwIfAborted();
      const old = one.unfinished && performance.now() - start < refresh.takesMs;
      if (!isPassing(error) && !(old && isRefusal(error))) throw refusal(run, one, pod, error);
    }
    await refresh.poke(pod, one.marker);
    if (performance.now() - start > LIMIT_MS) throw unread(run, one, pod);
    await pause(wait, run.signal);
    wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS);
  }
  return false;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ConsulError && error.status === 500;
}

function refusal(run: Run, { role, configMap }: Reload, pod: PodView, error: unknown): unknown {
  if (!(error instanceof ConsulError)) return error;
  const where = `Pod/${pod.name}`;
  const restart = `kubectl -n ${run.config.namespace} rollout restart`;
  const denied = error.status === 403;
  run.known.left = denied
    ? { is: 'reload-denied', configMap }
    : { is: 'refused-config', configMap, pod: pod.name };
  return new Failure({
    reason: denied ? 'acl-denied' : 'invalid-config',
    what: denied
      ? `the agent may not be told to read its configuration again: ${error.text}`
      : `the agent refuses its new configuration: ${error.text}`,
    where,
    hint: denied
      ? `Allow \`agent_prefix "" { policy = "write" }\` for requests without a token, or restart the ${role}s: ${restart}.`
      : `Correct \`${role}-config\` and deploy again, before any ${role} restarts.`,
    cause: error,
  });
}

function unread(run: Run, { role, configMap }: Reload, { name, node }: PodView): Failure {
  run.known.left = { is: 'unread-config', configMap, pod: name };
  return new Failure({
    reason: 'stalled',
    what: `the agent has not read its new configuration after ${LIMIT_MS / 1000} s of reloads`,
    where: `Pod/${name}`,
    hint: `Look whether the kubelet of ${node ?? 'its node'} works: it has to renew the files of ConfigMap/${configMap}. A restart of the ${role}s helps as well.`,
  });
}
