import type { Config } from './config/config.ts';
import { parseConfig } from './config/parse.ts';
import { Failure } from './failure.ts';
import type { Transport } from './kubernetes/http/transport.ts';
import { releaseLock } from './kubernetes/lease/release.ts';
import { recordName } from './manifests/name.ts';
import { markdown } from './report/escape.ts';
import { Log } from './report/log.ts';
import { Secrets } from './report/secret.ts';
import { masker, maskInputs, savedLock, savedProgress } from './runner.ts';
import { openTransport } from './session/cluster.ts';
import { holderIdentity } from './session/lock.ts';
import { removeSmoke } from './steps/proof/clean-up.ts';
import { removeUnfinished } from './steps/snapshot/file.ts';

/** For cleaning up. Giving the lock back has its own time, so that a cluster without a leader cannot use it up. */
const CLEANUP_MS = 10_000;

/**
 * The post step. When main was killed, its lock would keep others waiting for a minute, its smoke key and services would stay
 * for some, and half a snapshot for good: all that is taken back. Trusts no state, may run twice, and never fails the job.
 */
export async function post(env: NodeJS.ProcessEnv): Promise<void> {
  const lockId = savedLock(env);
  // Without it main had not come to its lock, and so to no write to the cluster either.
  const hasLock = env.GITHUB_RUN_ID && lockId !== undefined;
  const progress = savedProgress(env);
  if (progress === 'finished' || (!hasLock && progress === undefined)) return;
  const secrets = new Secrets();
  const log = new Log({ secrets });
  try {
    const tellRunner = await masker(env);
    const mask = (secret: string) => {
      secrets.add(secret);
      tellRunner(secret);
    };
    const config = parseConfig(env);
    maskInputs(config, env, mask);
    const done = await removeHalves(config, log);
    if (hasLock && config.mode !== 'render' && config.lock)
      done.push(...(await giveBack(env, config, { lockId, mask })));
    if (done.length === 0) return;
    for (const line of done) log.info(line);
    if (config.summary)
      await summarize(
        env,
        done.map((line) => secrets.redact(line)),
      );
  } catch (error) {
    log.warning(`Cleaning up after the main step did not work: ${Failure.from(error).message}`);
  }
}

/** Of a snapshot, which may be in plaintext. */
async function removeHalves({ snapshotPath }: Config, log: Log): Promise<string[]> {
  if (snapshotPath === '') return [];
  const { removed, left } = await removeUnfinished(snapshotPath);
  for (const path of left)
    log.warning(`${path}, half of a snapshot, could not be removed: it may hold secrets.`);
  return removed.map((path) => `removed ${path}, half of a snapshot`);
}

/** Takes back what main had written, and releases its lock. @returns what was done */
async function giveBack(
  env: NodeJS.ProcessEnv,
  config: Config,
  { lockId, mask }: { lockId: string; mask: (secret: string) => void },
): Promise<string[]> {
  const { namespace, name } = config;
  const transport = await openTransport(config, mask);
  const done: string[] = [];
  const released = await releaseLock(transport, {
    namespace,
    name: recordName(name),
    // Legs of a matrix share the run, the attempt and the job, and may deploy to one cluster.
    isOurs: (holder) => holder === holderIdentity(env, lockId),
    before: async () => {
      done.push(...(await takeBack(transport, config, AbortSignal.timeout(CLEANUP_MS))));
    },
  });
  await transport.close();
  return released ? [...done, 'released the lock that the main step had left behind'] : [];
}

/** What is left undone expires by itself, and is no reason to keep the lock. */
async function takeBack(
  transport: Transport,
  cluster: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const { services, missed } = await removeSmoke(transport, cluster, signal);
    const rest = missed.map((why) => `what is left at ${why}; it expires within minutes`);
    return [`removed ${services} smoke services and the smoke keys`, ...rest];
  } catch (error) {
    return [`smoke keys and services may be left for some minutes: ${Failure.from(error).message}`];
  }
}

/** main has written no summary: it did not get so far. */
async function summarize(env: NodeJS.ProcessEnv, done: readonly string[]): Promise<void> {
  if (!env.GITHUB_STEP_SUMMARY) return;
  const { summary } = await import('@actions/core');
  const list = done.map((line) => `- ${markdown(line)}`).join('\n');
  const text = `## ⏹️ consul-deploy was ended from outside before it could tell how far it came\n\n${list}\n\nThe cluster is left as it was at that moment; the next run continues from there.\n`;
  await summary.addRaw(text).write();
}
