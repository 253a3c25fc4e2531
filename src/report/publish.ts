import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { annotation } from './annotation.ts';
import { consoleReport } from './console.ts';
import { toJson } from './json.ts';
import { toJunit } from './junit.ts';
import type { Log } from './log.ts';
import { outputs } from './outputs.ts';
import { redactResult } from './redact.ts';
import type { Result } from './result.ts';
import { summary } from './summary.ts';

export interface PublishOptions {
  /** What it must not print, no report says either. */
  log: Log;
  /** The inputs `summary`, `summary-path`, `report-path`, `report-html` and `junit-path`; a relative path is taken from the working directory. */
  config: {
    readonly summary: boolean;
    readonly reportPath: string | undefined;
    readonly junitPath: string | undefined;
    readonly summaryPath: string | undefined;
    readonly reportHtml: string | undefined;
  };
  /** Default: those of the runner, as far as it offers them. */
  sinks?: Sinks;
}

/** Where outputs and summary go; undefined where there is no such place. */
export interface Sinks {
  setOutput: ((name: string, value: string) => Promise<void>) | undefined;
  writeSummary: ((markdown: string) => Promise<unknown>) | undefined;
  /** Takes the JSON report, besides the file of `report-path`. */
  writeReport?: (json: string) => Promise<void>;
  /** Of the terminal that shows the log, which the closing report has to fit. */
  columns?: number | undefined;
}

/**
 * Tells the world about a run. Never rejects: trouble here is a warning in the log, and the verdict stays.
 * The exit code is the caller's to set, without a further error annotation.
 */
export async function publish(outcome: Result, { log, config, sinks }: PublishOptions): Promise<void> {
  const attempt = async (what: string, act: () => unknown): Promise<boolean> => {
    try {
      await act();
      return true;
    } catch (error) {
      log.warning(
        `Trouble in writing the ${what}: ${error instanceof Error ? error.message : String(error)}`,
      );
      return false;
    }
  };
  const to = sinks ?? runnerSinks(process.env);
  const { reportPath, junitPath, summaryPath, reportHtml } = config;
  const result = redactResult(outcome, log.secrets);
  log.stop();
  // What needs no file comes first: a cancelled run has seconds left.
  await attempt('closing report', () => log.closing(consoleReport(result, to.columns)));
  await attempt('annotation', () => log.annotation(annotation(result)));

  // One that fails does not keep the others from being written.
  const writeOutputs = async (path: string | undefined) => {
    const writes = Object.entries(outputs(result, path)).map(async ([name, value]) =>
      to.setOutput?.(name, value),
    );
    const failed = (await Promise.allSettled(writes)).find((write) => write.status === 'rejected');
    if (failed) throw failed.reason;
  };
  await Promise.allSettled([
    attempt('summary', () => (config.summary ? to.writeSummary?.(summary(result)) : undefined)),
    (async () => {
      const written =
        reportPath !== undefined && (await attempt('report', () => write(reportPath, toJson(result))));
      // The output names a report only when there is one.
      await attempt('outputs', () => writeOutputs(written ? log.secrets.redact(reportPath) : undefined));
    })(),
    attempt('report', () => to.writeReport?.(toJson(result))),
    attempt('JUnit report', () => (junitPath === undefined ? undefined : write(junitPath, toJunit(result)))),
    attempt('summary', () => (summaryPath === undefined ? undefined : write(summaryPath, summary(result)))),
    attempt('HTML report', async () => {
      // Loaded where it is asked for.
      if (reportHtml !== undefined) await write(reportHtml, (await import('./html/page.ts')).toHtml(result));
    }),
  ]);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true });
  await writeFile(path, text);
}

/**
 * Loaded when first used, for it brings an HTTP client along. Without the runner's files it would print
 * commands that no terminal understands.
 */
export function runnerSinks(env: NodeJS.ProcessEnv): Sinks {
  const core = () => import('@actions/core');
  return {
    setOutput: env.GITHUB_OUTPUT ? async (name, value) => (await core()).setOutput(name, value) : undefined,
    writeSummary: env.GITHUB_STEP_SUMMARY
      ? async (markdown) => (await core()).summary.addRaw(markdown).write()
      : undefined,
  };
}
