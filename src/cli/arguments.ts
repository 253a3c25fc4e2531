import { parseArgs } from 'node:util';
import { INPUT_NAMES, type InputName } from '../config/inputs.ts';
import { quote } from '../config/mistake.ts';
import { isBoolean, isInput, KNOWN_ELSEWHERE, MODES, OWN_FLAGS, type OwnFlag, unknown } from './names.ts';

/** What stands on the command line, not yet judged but for its names. */
export interface Arguments {
  /** Words that are no flags and no values of flags. */
  words: string[];
  inputs: Map<InputName, string>;
  own: Map<OwnFlag, string>;
  mistakes: string[];
}

const OWN = Object.keys(OWN_FLAGS) as OwnFlag[];
const FLAGS = [...INPUT_NAMES, ...OWN].map((name) => `--${name}`);

const takesValue = (name: InputName | OwnFlag) =>
  isInput(name) ? !isBoolean(name) : 'value' in OWN_FLAGS[name];
const options = Object.fromEntries([
  ...[...INPUT_NAMES, ...OWN].map((name) => [
    name,
    { type: takesValue(name) ? ('string' as const) : ('boolean' as const) },
  ]),
  ['help', { type: 'boolean' as const, short: 'h' }],
]);

/**
 * Reads the command line to its end, so that all mistakes are told together. No message has the value of a flag: it may
 * be a secret.
 */
export function readArguments(args: readonly string[]): Arguments {
  const found: Arguments = { words: [], inputs: new Map(), own: new Map(), mistakes: [] };
  // Not strict, which would stop at the first mistake; the tokens have what it would have checked.
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let unknownAt = Number.NaN;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const [name = '', ...value] = token.value.split('=');
      if (isInput(name) && value.length > 0)
        found.mistakes.push(`${name}=…: a flag begins with two hyphens: \`--${name}=…\``);
      // What stands behind a flag that nobody knows was meant as its value.
      else if (token.index !== unknownAt + 1 || MODES.includes(token.value)) found.words.push(token.value);
    } else if (token.kind === 'option') {
      const { name, rawName, value, inlineValue } = token;
      if (isInput(name)) readInput(found, name, value, inlineValue);
      else if (isOwn(name)) readOwn(found, name, value, inlineValue);
      else {
        found.mistakes.push(`${rawName}: ${unknownFlag(name, rawName)}`);
        unknownAt = inlineValue ? Number.NaN : token.index;
      }
    }
  }
  return found;
}

function isOwn(name: string): name is OwnFlag {
  return Object.hasOwn(OWN_FLAGS, name);
}

function unknownFlag(name: string, rawName: string): string {
  const [, positive = ''] = /^no-(.+)$/.exec(name) ?? [];
  if (isInput(positive) && isBoolean(positive))
    return `there is no such flag; write \`--${positive}=false\` for it`;
  if (Object.hasOwn(KNOWN_ELSEWHERE, name))
    return `there is no such flag; here it is ${KNOWN_ELSEWHERE[name]}`;
  return unknown('flag', rawName, FLAGS);
}

function readInput(
  found: Arguments,
  name: InputName,
  value: string | undefined,
  inline: boolean | undefined,
): void {
  const text = isBoolean(name) ? (value ?? 'true') : textOf(found, name, value, inline);
  if (text !== undefined) setInput(found, name, text, `--${name}`);
}

function readOwn(
  found: Arguments,
  name: OwnFlag,
  value: string | undefined,
  inline: boolean | undefined,
): void {
  if (!takesValue(name)) {
    if (inline) found.mistakes.push(`--${name}: it takes no value`);
    found.own.set(name, '');
    return;
  }
  const text = textOf(found, name, value, inline);
  if (text === undefined) return;
  if (name === 'set') {
    readSet(found, text);
    return;
  }
  if (text === '') found.mistakes.push(`--${name}: nothing was given; allowed: a path`);
  else if (found.own.has(name)) found.mistakes.push(`--${name}: given more than once`);
  found.own.set(name, text);
}

/** The flag behind a flag without its value is no value, unless it is written so. */
function textOf(
  found: Arguments,
  name: string,
  value: string | undefined,
  inline: boolean | undefined,
): string | undefined {
  if (value !== undefined && (inline || !/^--?[a-z]/i.test(value))) return value;
  const why =
    value === undefined ? '' : `; a value that begins with a hyphen is written as \`--${name}=VALUE\``;
  found.mistakes.push(`--${name}: its value is missing${why}`);
  return undefined;
}

function readSet(found: Arguments, text: string): void {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  if (at < 1) found.mistakes.push('--set: allowed: an input, `=` and its value');
  else if (isInput(name)) setInput(found, name, text.slice(at + 1), `--set ${name}`);
  else found.mistakes.push(`--set: ${quote(name)}: ${unknown('input', name, INPUT_NAMES)}`);
}

function setInput({ inputs, mistakes }: Arguments, name: InputName, value: string, flag: string): void {
  if (inputs.has(name))
    mistakes.push(`${flag}: given more than once; several values go into one, separated by commas`);
  inputs.set(name, value);
}
