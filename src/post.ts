import { parseConfig } from './config/parse.ts';
import { Failure } from './failure.ts';
import { releaseLock } from './kubernetes/release.ts';
import { lockName, runIdentity } from './modes/apply.ts';
import { openTransport } from './modes/connect.ts';
import { Log } from './report/log.ts';
import { masker, maskKubeconfig, savedProgress } from './runner.ts';

const BUDGET_MS = 20_000;

/**
 * The post step. When main was killed, its lock would keep others waiting for a minute, so it is released;
 * smoke keys and services expire by themselves. Trusts no state, may run twice, and never fails the job.
 */
export async function post(env: NodeJS.ProcessEnv): Promise<void> {
  if (savedProgress(env) === 'finished' || !env.GITHUB_RUN_ID) return;
  const log = new Log();
  try {
    const mask = await masker(env);
    const config = parseConfig(env);
    maskKubeconfig(config, env, mask);
    const { mode, lock, namespace, name } = config;
    if (mode === 'render' || !lock) return;
    const transport = await openTransport(config, mask);
    const signal = AbortSignal.timeout(BUDGET_MS);
    const released = await releaseLock(transport, {
      namespace,
      name: lockName(name),
      // main's random suffix is not known here; the run, the attempt and the job are.
      isOurs: (holder) => holder.startsWith(`${runIdentity(env)} `),
      signal,
    });
    if (released) log.info('released the lock that the main step had left behind');
    await transport.close();
  } catch (error) {
    log.warning(`Cleaning up after the main step did not work: ${Failure.from(error).message}`);
  }
}
