// Runs the action as a GitHub runner would: inputs from action.yml's defaults and the command line, main,
// then post with main's state. Files a runner would read end up in OUT: outputs.json, summary.md.
// usage: node script/lib/runner.mjs ACTION-FOLDER OUT [input=value]...
// The exit code is that of main, or of post if that alone fails.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';

const [folder, out, ...given] = process.argv.slice(2);
if (!folder || !out) throw new Error('usage: runner.mjs ACTION-FOLDER OUT [input=value]...');
const action = parse(readFileSync(join(folder, 'action.yml'), 'utf8'));
mkdirSync(out, { recursive: true });

// Runner file commands: `name=value`, or `name<<delimiter`, lines, delimiter.
function readPairs(file) {
  const pairs = {};
  const lines = readFileSync(file, 'utf8').split('\n');
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [, name, kind, rest] = /^(.*?)(=|<<)(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (kind === '=') pairs[name] = rest;
    else
      pairs[name] = lines
        .splice(0, lines.indexOf(rest) + 1)
        .slice(0, -1)
        .join('\n');
  }
  return pairs;
}

function inputs() {
  const values = {};
  for (const [name, input] of Object.entries(action.inputs ?? {}))
    values[name] = String(input?.default ?? '');
  for (const pair of given) {
    const at = pair.indexOf('=');
    values[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      value,
    ]),
  );
}

const files = {};
for (const name of ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH']) {
  files[name] = resolve(out, name === 'GITHUB_STEP_SUMMARY' ? 'summary.md' : name.toLowerCase());
  writeFileSync(files[name], '');
}
const environment = {
  ...process.env,
  ...inputs(),
  ...files,
  GITHUB_WORKSPACE: resolve(out),
  RUNNER_TEMP: resolve(out),
};

const colours = { error: 31, warning: 33, notice: 36 };
const decoded = (text) =>
  text
    .replaceAll('%0A', '\n  ')
    .replaceAll('%0D', '')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');

// What a runner shows of a line; undefined for what it keeps to itself.
function shown(line) {
  const [, command, properties, text] = /^::([a-z-]+)(?: ([^:]*))?::(.*)$/.exec(line) ?? [];
  if (command === undefined) return line;
  if (command === 'group') return `\x1b[1m▸ ${decoded(text)}\x1b[0m`;
  if (command in colours) {
    const title = /title=([^,]*)/.exec(properties ?? '')?.[1];
    return `\x1b[${colours[command]}m${command}: ${title ? `${decoded(title)}: ` : ''}${decoded(text)}\x1b[0m`;
  }
  return undefined;
}

async function run(script, state) {
  // In a process group of its own, so that Ctrl-C reaches it once, through us, as a cancelled job's signal.
  const child = spawn(process.execPath, [resolve(folder, script)], {
    env: { ...environment, ...state },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  // A runner sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL.
  const timers = [];
  const cancel = () => {
    if (timers.length > 0) return;
    child.kill('SIGINT');
    timers.push(
      setTimeout(() => child.kill('SIGTERM'), 7500),
      setTimeout(() => child.kill('SIGKILL'), 10_000),
    );
  };
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const text = shown(line);
    if (text !== undefined) console.log(text);
  });
  const code = await new Promise((done, fail) => {
    child.on('error', fail).on('close', (status) => done(status ?? 1));
  });
  timers.forEach(clearTimeout);
  process.off('SIGINT', cancel).off('SIGTERM', cancel);
  return code;
}

let code = await run(action.runs.main, {});
if (action.runs.post) {
  const state = Object.entries(readPairs(files.GITHUB_STATE)).map(([name, value]) => [
    `STATE_${name}`,
    value,
  ]);
  const afterwards = await run(action.runs.post, Object.fromEntries(state));
  code = code || afterwards;
}
writeFileSync(join(out, 'outputs.json'), `${JSON.stringify(readPairs(files.GITHUB_OUTPUT), null, 2)}\n`);
process.exitCode = code;
