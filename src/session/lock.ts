import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import type { AccessCheck } from '../kubernetes/access.ts';
import { Lock } from '../kubernetes/lease/lease.ts';
import { recordName } from '../manifests/name.ts';
import { saveLock } from '../runner.ts';
import type { Cluster } from './cluster.ts';
import type { Run } from './run.ts';

/**
 * Does the work under the lock, and gives it back whatever comes of it.
 * @param options.remove the lock itself goes, too, when the work is done
 */
export async function withLock<T>(
  run: Run,
  cluster: Cluster,
  work: (held: Lock | undefined) => Promise<T>,
  { remove = false } = {},
): Promise<T> {
  const held = await lock(run, cluster);
  let isDone = false;
  try {
    const result = await work(held);
    isDone = true;
    return result;
  } finally {
    await (remove && isDone ? held?.remove() : held?.release());
  }
}

/** What a run needs for its lock; nothing where none is wanted. */
export function lockPermissions(
  { namespace, lock }: Pick<Config, 'namespace' | 'lock'>,
  { remove = false } = {},
): AccessCheck[] {
  if (!lock) return [];
  const verbs = ['get', 'create', 'update', ...(remove ? ['delete'] : [])];
  return verbs.map((verb) => ({ verb, group: 'coordination.k8s.io', resource: 'leases', namespace }));
}

/** Takes the lock, unless none is wanted; the run ends when it is lost. */
async function lock(run: Run, cluster: Cluster): Promise<Lock | undefined> {
  if (!run.config.lock) return undefined;
  const held = await run.phase('lock', 'Lock', () => acquire(run, cluster));
  held.lost.addEventListener('abort', () => run.fail(held.lost.reason), { once: true });
  return held;
}

async function acquire(run: Run, cluster: Cluster): Promise<Lock> {
  const { config, log } = run;
  const lockId = randomUUID().slice(0, 8);
  // Before the lock is taken: main may be killed in the very next moment.
  await saveLock(process.env, lockId);
  const taken = await Lock.acquire(cluster.transport, {
    namespace: config.namespace,
    name: recordName(config.name),
    holder: holderIdentity(process.env, lockId),
    signal: run.signal,
    onWait: (holder, since) => log.progress(`another run holds the lock since ${since}: ${holder}`, 'lock'),
    onTaken: (holder, since) => run.findings.push(`the lock is held by ${holder} now, since ${since}`),
  });
  log.settled('lock');
  if (taken.takenOverFrom !== undefined) {
    run.warn(`Took over the lock of ${taken.takenOverFrom}, which ended without releasing it.`);
  }
  return taken;
}

/** Who holds the lock. The run, the attempt and the job do not tell the legs of a matrix apart; `lockId` does. */
export function holderIdentity(env: NodeJS.ProcessEnv, lockId: string): string {
  return `${runIdentity(env)} ${lockId}`;
}

/** Names the run to people who find its lock: the same in main and post. */
export function runIdentity(env: NodeJS.ProcessEnv): string {
  const { GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB } = env;
  if (GITHUB_RUN_ID)
    return `${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}/attempts/${GITHUB_RUN_ATTEMPT} ${GITHUB_JOB}`;
  // GitLab CI and Jenkins: the page of the job says more than the name of its machine.
  const page = env.CI_JOB_URL || env.BUILD_URL;
  return `${page ? `${page} ` : ''}${hostname()} pid ${process.pid}`;
}
