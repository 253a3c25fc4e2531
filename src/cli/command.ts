import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { InputName } from '../config/inputs.ts';
import { quote } from '../config/mistake.ts';
import { outputPath, PathRefusal } from '../config/path.ts';
import { main } from '../main.ts';
import { Log } from '../report/log.ts';
import { runnerSinks, type Sinks } from '../report/publish.ts';
import { VERSION } from '../session/version.ts';
import { type Arguments, readArguments } from './arguments.ts';
import { completion } from './completion.ts';
import { asRunner, readEnvironment, type Source } from './environment.ts';
import { readInputs } from './file.ts';
import { HINT, help, helpOf } from './help.ts';
import { endFromOutside } from './interrupt.ts';
import { MODES, SHELLS } from './names.ts';
import { secretFlags } from './secret-flag.ts';
import { Terminal } from './terminal.ts';

const WRONG_INPUT = 2;
const CORRECT =
  'where they were given: as a flag, in the environment or in the file; `consul-deploy --help` describes every input';

/** The action as a command: the same inputs from a command line, the same run, and its end as an exit code. */
export async function command(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  // Whoever reads the log may go away; the cluster is not left halfway for that.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const found = readArguments(args);
  if (tell(found, env)) return;

  const json = found.own.has('json') ? takeStandardOutput() : undefined;
  const terminal = new Terminal(json ? process.stderr : process.stdout, env, found.own.has('no-color'));
  const { inputs, mistakes } = await gather(found, env);
  const dotenv = readOutputs(found, env, mistakes);
  const reason = await main(asRunner(env, inputs), {
    given: { mistakes, correct: CORRECT },
    log: (options) => {
      const write = (line: string) => terminal.write(line);
      const log = new Log({ ...options, write, heartbeat: !terminal.isLive });
      terminal.follow(log);
      return log;
    },
    sinks: { ...sinks(env, json, dotenv), columns: terminal.columns },
    started: (run) => endFromOutside(run, (line) => terminal.write(line)),
  });
  if (reason === 'invalid-input') process.exitCode = WRONG_INPUT;
}

/** What is told without a run. @returns whether that was all */
function tell({ own, words, inputs, mistakes }: Arguments, env: NodeJS.ProcessEnv): boolean {
  const [first = '', second = ''] = words;
  const width = Math.min(process.stdout.columns || 100, 100);
  // `consul-deploy help deploy`, as other tools have it.
  const about = first === 'help' ? second : first;
  if (own.has('help') || first === 'help')
    process.stdout.write(MODES.includes(about) ? helpOf(about, width) : help(width));
  else if (own.has('version') || first === 'version') process.stdout.write(`consul-deploy ${VERSION}\n`);
  else if (first === 'completion') {
    const script = words.length === 2 ? completion(second) : undefined;
    if (script === undefined) {
      process.stderr.write(`completion: given ${quote(second)}; allowed: ${SHELLS.join(', ')}\n`);
      process.exitCode = WRONG_INPUT;
    } else process.stdout.write(script);
  } else if (words.length + inputs.size + own.size + mistakes.length === 0) {
    const { inputs: fromEnvironment, mistakes: wrong } = readEnvironment(env);
    if (fromEnvironment.has('mode') || wrong.length > 0) return false;
    process.stderr.write(HINT);
    process.exitCode = WRONG_INPUT;
  } else return false;
  return true;
}

/** All inputs, a flag before the environment and that before the file, and all that was wrong in giving them. */
async function gather(found: Arguments, env: NodeJS.ProcessEnv): Promise<Source> {
  const flags = new Map(found.inputs);
  const mistakes = [...found.mistakes, ...secretFlags(found.inputs)];
  const [mode, ...more] = found.words;
  if (mode !== undefined && flags.has('mode')) mistakes.push('--mode: given as the first word, too');
  if (mode !== undefined) flags.set('mode', mode);
  for (const word of more)
    mistakes.push(`${quote(word)}: there is a mode already; a flag begins with two hyphens`);

  const environment = readEnvironment(env);
  const path = found.own.get('file');
  const file: Source = path ? await readInputs(path) : { inputs: new Map(), mistakes: [] };
  mistakes.push(...environment.mistakes, ...file.mistakes);
  const inputs = new Map<InputName, string>([...file.inputs, ...environment.inputs, ...flags]);
  // The action deploys where nothing is said; a command that was not finished must not.
  if (!inputs.get('mode')?.trim()) mistakes.push(`mode: given nothing; allowed: ${MODES.join(', ')}`);
  return { inputs, mistakes };
}

/** The file for outputs; what is wrong with its path is one more mistake. */
function readOutputs({ own }: Arguments, env: NodeJS.ProcessEnv, mistakes: string[]): string | undefined {
  const given = own.get('outputs');
  if (!given) return undefined;
  const path = outputPath(given, env);
  if (!(path instanceof PathRefusal)) return path;
  mistakes.push(`--outputs: given ${quote(given)}; allowed: ${path.allowed}`);
  return undefined;
}

/** Standard output for the report alone: what a library writes there goes where the log goes. */
function takeStandardOutput(): (text: string) => Promise<void> {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return (text) => new Promise((resolve) => write(text, () => resolve()));
}

/** Those of a runner, where there is one, and those that were asked for. */
function sinks(
  env: NodeJS.ProcessEnv,
  json: ((text: string) => Promise<void>) | undefined,
  dotenv: string | undefined,
): Sinks {
  const runner = runnerSinks(env);
  if (dotenv === undefined) return { ...runner, ...(json && { writeReport: json }) };
  const lines: string[] = [];
  return {
    ...runner,
    ...(json && { writeReport: json }),
    setOutput: async (name, value) => {
      lines.push(`CONSUL_OUTPUT_${name.toUpperCase().replaceAll('-', '_')}=${value}\n`);
      mkdirSync(dirname(dotenv), { recursive: true });
      writeFileSync(dotenv, lines.join(''));
      await runner.setOutput?.(name, value);
    },
  };
}
