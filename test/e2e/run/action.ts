import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFailed } from 'vitest';
import type { Check, Result } from '../../../src/report/result.ts';
import { eventually } from '../kubernetes/cluster.ts';

export interface Outcome {
  code: number;
  log: string;
  outputs: Record<string, string>;
  summary: string;
  /** The JSON report; undefined when none was written. */
  report: Result | undefined;
  /** Files the run left in its workspace. */
  read: (file: string) => string;
  /** All that is there, but what the runner itself reads. */
  files: Map<string, { bytes: Buffer; mode: number }>;
}

export interface Running {
  process: ChildProcess;
  /** What it has printed so far. */
  log: () => string;
  outcome: Promise<Outcome>;
}

/** The committed bundle, started as a runner starts it: inputs with the defaults of action.yml, then main and post. */
export function start(
  inputs: Record<string, string>,
  env: NodeJS.ProcessEnv = {},
  /** Does something to the workspace before the run; what it returns is called at its end. */
  prepare: (workspace: string) => () => void = () => () => undefined,
): Running {
  const out = mkdtempSync(join(tmpdir(), 'consul-deploy-e2e-'));
  const undo = prepare(out);
  const given = { timeout: '2m', 'stable-for': '3s', 'report-path': 'report.json', ...inputs };
  const pairs = Object.entries(given).map(([name, value]) => `${name}=${value}`);
  const child = spawn(process.execPath, ['script/lib/runner.mjs', '.', out, ...pairs], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
  });
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  tellOfUnfinished(() => (child.exitCode === null ? log : undefined));
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const read = (file: string) => readFileSync(join(out, file), 'utf8');
      const optional = (file: string) => {
        try {
          return read(file);
        } catch {
          return undefined;
        }
      };
      const report = optional('report.json');
      const files = new Map(['consul-manifests.yaml', 'report.html'].map((file) => [file, optional(file)]));
      const result: Outcome = {
        code: code ?? 1,
        log,
        outputs: JSON.parse(optional('outputs.json') ?? '{}'),
        summary: optional('summary.md') ?? '',
        report: report === undefined ? undefined : (JSON.parse(report) as Result),
        read: (file) => files.get(file) ?? '',
        files: leftIn(out),
      };
      undo();
      rmSync(out, { recursive: true, force: true });
      resolve(result);
    });
  });
  return { process: child, log: () => log, outcome };
}

const OF_RUNNER = /^(outputs\.json|summary\.md|report\.json|github_.*)$/;

function leftIn(folder: string): Outcome['files'] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name) => {
      const file = join(folder, name);
      const found = statSync(file);
      if (!found.isFile() || OF_RUNNER.test(name)) return [];
      return [[name, { bytes: readFileSync(file), mode: found.mode & 0o777 }] as const];
    }),
  );
}

/** A test that is over before its run shows how far that came. Outside of a test there is nobody to tell. */
function tellOfUnfinished(unfinished: () => string | undefined): void {
  try {
    onTestFailed(() => {
      const log = unfinished();
      if (log !== undefined) console.error(`a run that had not ended when the test failed:\n${log}`);
    });
  } catch {
    // In a hook: a hook that fails tells of its run itself.
  }
}

export function deploy(inputs: Record<string, string>, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return start(inputs, env).outcome;
}

/** Ends main when its log has this line, as a machine that runs out of memory does it; the post step still runs. */
export async function killedAt(inputs: Record<string, string>, line: string): Promise<Outcome> {
  const run = start(inputs);
  await logged(run, line);
  const { pid } = run.process;
  const [main] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(main), 'SIGKILL');
  return run.outcome;
}

/** Waits until the log has this line. */
export async function logged(run: Running, line: string): Promise<void> {
  await eventually(line, 120_000, async () => {
    if (run.log().includes(line)) return true;
    if (run.process.exitCode !== null) throw new Error(`ended before it said "${line}":\n${run.log()}`);
    return undefined;
  });
}

export function check(outcome: Outcome, id: string): Check {
  const found = outcome.report?.checks.find((one) => one.id === id);
  if (!found) throw new Error(`no check ${id} in the report:\n${outcome.log}`);
  return found;
}
