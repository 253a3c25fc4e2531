import type { Config, Mode } from './config/config.ts';
import { INPUTS } from './config/inputs.ts';
import { type Given, parseConfig } from './config/parse.ts';
import { Failure, type FailureReason } from './failure.ts';
import { deployMode } from './modes/deploy.ts';
import { destroyMode } from './modes/destroy.ts';
import { planMode } from './modes/plan.ts';
import { renderMode } from './modes/render.ts';
import { sweepMode } from './modes/sweep.ts';
import { verifyMode } from './modes/verify.ts';
import { withHelp } from './report/help.ts';
import { Log, type LogOptions } from './report/log.ts';
import { publish, type Sinks } from './report/publish.ts';
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

/** What is another way where it was not a runner that started the run. */
export interface Caller {
  readonly given?: Given;
  readonly log?: (options: LogOptions) => Log;
  readonly sinks?: Sinks;
  /** Is told the run before it does anything, to end it. */
  readonly started?: (run: Pick<Run, 'cancel' | 'fail'>) => void;
}

/**
 * Config -> mode -> Result -> report. Sets the exit code and throws nothing.
 * @returns why it is red; undefined where it is green
 */
export async function main(env: NodeJS.ProcessEnv, caller: Caller = {}): Promise<FailureReason | undefined> {
  await saveProgress(env, 'started');
  const secrets = new Secrets();
  const tellRunner = await masker(env);
  const mask = (secret: string) => {
    secrets.add(secret);
    tellRunner(secret);
  };
  const { config, mistake } = readConfig(env, caller.given);
  maskInputs(config, env, mask);
  const options = { level: config.logLevel, secrets };
  const log = caller.log?.(options) ?? new Log(options);
  const run = new Run(config, log);
  caller.started?.(run);
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
    ...(caller.sinks && { sinks: caller.sinks }),
  });
  await saveProgress(env, 'finished');
  process.off('SIGINT', cancel).off('SIGTERM', cancel);
  return failure?.reason;
}

function readConfig(env: NodeJS.ProcessEnv, given?: Given): { config: Config; mistake?: Failure } {
  try {
    return { config: parseConfig(env, given) };
  } catch (error) {
    const mode = INPUTS.mode.parser.safeParse(env.INPUT_MODE?.trim());
    const config = mode.success ? { ...forReport(env), mode: mode.data } : forReport(env);
    return { config, mistake: Failure.from(error) };
  }
}

/** With mistakes in the inputs the report still goes where it should, as far as that can be read. */
function forReport(env: NodeJS.ProcessEnv): Config {
  const { GITHUB_WORKSPACE, RUNNER_TEMP, INPUT_SUMMARY } = env;
  const files = ['INPUT_REPORT-PATH', 'INPUT_JUNIT-PATH', 'INPUT_SUMMARY-PATH', 'INPUT_REPORT-HTML'];
  try {
    const paths = Object.fromEntries(files.map((name) => [name, env[name]]));
    return parseConfig({ GITHUB_WORKSPACE, RUNNER_TEMP, INPUT_SUMMARY, ...paths });
  } catch {
    return parseConfig({});
  }
}
