import type { Config, Mode } from './config/config.ts';
import { parseConfig } from './config/parse.ts';
import { Failure } from './failure.ts';
import { deployMode } from './modes/deploy.ts';
import { destroyMode } from './modes/destroy.ts';
import { planMode } from './modes/plan.ts';
import { renderMode } from './modes/render.ts';
import { sweepMode } from './modes/sweep.ts';
import { verifyMode } from './modes/verify.ts';
import { withHelp } from './report/help.ts';
import { Log } from './report/log.ts';
import { publish } from './report/publish.ts';
import { Secrets } from './report/secret.ts';
import { masker, maskInputs, saveProgress } from './runner.ts';
import { Run } from './session/run.ts';
import { REPOSITORY, VERSION } from './session/version.ts';

const MODES: Record<Mode, (run: Run, mask: (secret: string) => void) => Promise<void>> = {
  deploy: deployMode,
  plan: planMode,
  verify: verifyMode,
  sweep: sweepMode,
  snapshot: async (run, mask) => (await import('./modes/snapshot.ts')).snapshotMode(run, mask),
  inspect: async (run, mask) => (await import('./modes/inspect.ts')).inspectMode(run, mask),
  rehearse: async (run, mask) => (await import('./modes/rehearse.ts')).rehearseMode(run, mask),
  restore: async (run, mask) => (await import('./modes/restore.ts')).restoreMode(run, mask),
  destroy: destroyMode,
  render: renderMode,
};

/** Config -> mode -> Result -> report. Sets the exit code and throws nothing. */
export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  await saveProgress(env, 'started');
  const secrets = new Secrets();
  const tellRunner = await masker(env);
  const mask = (secret: string) => {
    secrets.add(secret);
    tellRunner(secret);
  };
  const { config, mistake } = readConfig(env);
  maskInputs(config, env, mask);
  const log = new Log({ level: config.logLevel, secrets });
  const run = new Run(config, log);
  const cancel = (signal: string) => run.cancel(signal);
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  let failure = mistake;
  try {
    if (!failure) await MODES[config.mode](run, mask);
  } catch (error) {
    failure = run.explain(error);
    if (failure.reason === 'internal' && failure.cause instanceof Error) log.debug(failure.cause.stack ?? '');
  } finally {
    run.close();
  }
  if (failure) process.exitCode = 1;
  await publish(withHelp(run.result(failure), env, { repository: REPOSITORY, version: VERSION }), {
    log,
    config,
  });
  await saveProgress(env, 'finished');
  process.off('SIGINT', cancel).off('SIGTERM', cancel);
}

/** With mistakes in the inputs the report still goes where it should, as far as that can be read. */
function readConfig(env: NodeJS.ProcessEnv): { config: Config; mistake?: Failure } {
  try {
    return { config: parseConfig(env) };
  } catch (error) {
    const mistake = Failure.from(error);
    const { GITHUB_WORKSPACE, RUNNER_TEMP, INPUT_SUMMARY } = env;
    const files = ['INPUT_REPORT-PATH', 'INPUT_JUNIT-PATH', 'INPUT_SUMMARY-PATH', 'INPUT_REPORT-HTML'];
    try {
      const paths = Object.fromEntries(files.map((name) => [name, env[name]]));
      const reporting = { GITHUB_WORKSPACE, RUNNER_TEMP, INPUT_SUMMARY, ...paths };
      return { config: parseConfig(reporting), mistake };
    } catch {
      return { config: parseConfig({}), mistake };
    }
  }
}
