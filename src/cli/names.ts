import * as z from 'zod';
import type { Input } from '../config/inputs/input.ts';
import { INPUTS, type InputName } from '../config/inputs.ts';
import { nearest } from '../config/nearest.ts';
import { boolean } from '../config/parser/boolean.ts';

export const ENVIRONMENT_PREFIX = 'CONSUL_DEPLOY_';

/** Flags of the command itself; every other flag is an input. */
export const OWN_FLAGS = {
  set: { value: 'INPUT=VALUE', description: 'An input by its name; may be given for several inputs.' },
  file: { value: 'FILE', description: 'A YAML map of inputs; `-` reads standard input.' },
  json: { description: 'Print the JSON report on standard output, and everything else on standard error.' },
  outputs: { value: 'FILE', description: 'Write the outputs as lines of `CONSUL_OUTPUT_<NAME>=value`.' },
  'no-color': { description: 'No colours and no line that changes, on a terminal either.' },
  help: { description: 'Show this, or with a mode what is about that mode.' },
  version: { description: 'Show the version.' },
} as const satisfies Record<string, { value?: string; description: string }>;

export type OwnFlag = keyof typeof OWN_FLAGS;

/** Flags that other tools have, and what says the same here. */
export const KNOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  n: '`--namespace`',
  f: '`--file`',
  values: '`--file`',
  v: '`--version`',
  'kube-context': '`--context`',
  replicas: '`--servers` or `--client-replicas`',
  'dry-run': 'the mode `plan`, which writes nothing',
  yes: '`--confirm` with the name of the cluster, where something is removed',
  wait: 'nothing: every deploy waits until it is proven',
};

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Its value may be left out, which means true. */
export function isBoolean(name: InputName): boolean {
  const { parser }: Input = INPUTS[name];
  return parser === boolean;
}

/** The words that an input takes, where it takes no others. */
export function wordsOf(name: InputName): readonly string[] {
  const { parser }: Input = INPUTS[name];
  if (isBoolean(name)) return ['true', 'false'];
  return parser instanceof z.ZodEnum ? parser.options.map(String) : [];
}

export const MODES = wordsOf('mode');

export function isInput(name: string): name is InputName {
  return Object.hasOwn(INPUTS, name);
}

/** `server-config` -> `CONSUL_DEPLOY_SERVER_CONFIG` */
export function variableOf(name: string): string {
  return `${ENVIRONMENT_PREFIX}${name.toUpperCase().replaceAll('-', '_')}`;
}

/** What is said of a name that nobody knows, and of the known one that is near it. */
export function unknown(kind: 'input' | 'flag', given: string, known: readonly string[]): string {
  const meant = nearest(given, known);
  return `there is no such ${kind}; ${meant ? `did you mean \`${meant}\`?` : 'see `consul-deploy --help` for those there are'}`;
}
