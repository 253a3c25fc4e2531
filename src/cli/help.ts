import type { Mode } from '../config/config.ts';
import type { Input } from '../config/inputs/input.ts';
import { INPUT_GROUPS, INPUTS, type InputName } from '../config/inputs.ts';
import { ENVIRONMENT_PREFIX, isBoolean, MODES, OWN_FLAGS, SHELLS, wordsOf } from './names.ts';

/** Inputs that are about some modes alone. */
const ONLY: Partial<Record<InputName, readonly Mode[]>> = {
  'stable-for': ['deploy', 'verify', 'restore'],
  rotate: ['deploy', 'plan'],
  renew: ['verify'],
  snapshot: ['deploy', 'destroy'],
  'snapshot-key': ['snapshot', 'rehearse', 'restore', 'deploy', 'destroy'],
  'snapshot-plain': ['snapshot', 'restore', 'deploy', 'destroy'],
  'snapshot-path': ['snapshot', 'restore', 'deploy', 'destroy'],
  restore: ['restore', 'rehearse'],
  rehearse: ['verify'],
  'expect-plan': ['deploy'],
  'allow-data-loss': ['deploy', 'plan'],
  'on-drift': ['verify'],
  confirm: ['destroy', 'restore'],
  'destroy-data': ['destroy'],
  'sweep-apply': ['sweep'],
  deregister: ['sweep'],
  'move-registrations': ['deploy'],
  chaos: ['verify'],
  'manifests-path': ['render', 'deploy', 'plan'],
};

/** What nearly everybody gives. */
const SHAPE: readonly InputName[] = ['servers', 'server-storage', 'clients', 'client-replicas', 'image'];
const USUAL: Partial<Record<Mode, readonly InputName[]>> = {
  deploy: SHAPE,
  plan: SHAPE,
  render: SHAPE,
  destroy: ['confirm'],
};
const WHERE: readonly InputName[] = ['kubeconfig', 'context', 'namespace', 'expect-cluster'];

const INDENT = 6;

const USAGE = 'Usage: consul-deploy MODE [--INPUT VALUE]...';

const EXAMPLES = [
  'For example',
  "  consul-deploy deploy --namespace consul --expect-cluster '*staging*'",
  '  consul-deploy plan --file consul.yml --json',
  '  consul-deploy verify --namespace consul --report-html report.html',
];

/** What is told where nothing was given. */
export const HINT = `${USAGE}

MODE is ${MODES.slice(0, -1).join(', ')} or ${MODES.at(-1)}.
\`consul-deploy --help\` has every input, \`consul-deploy MODE --help\` what is about that mode.
`;

/** @param width of the lines, in characters */
export function help(width: number): string {
  return [
    USAGE,
    `       consul-deploy completion ${SHELLS.join('|')}`,
    '',
    'Deploys HashiCorp Consul to Kubernetes and proves that it works.',
    '',
    ...EXAMPLES,
    '',
    'Modes',
    ...MODES.flatMap((mode) => [`  ${mode}`, ...wrap(modeDescription(mode), width)]),
    '',
    ...howToGive(width),
    ...Object.entries<Record<string, Input>>(INPUT_GROUPS).flatMap(([group, inputs]) => [
      '',
      `${group.charAt(0).toUpperCase()}${group.slice(1)}`,
      ...Object.keys(inputs).flatMap((name) => (name === 'mode' ? [] : inputLines(name as InputName, width))),
    ]),
    '',
    'The command',
    ...Object.entries<{ value?: string; description: string }>(OWN_FLAGS).flatMap(([name, flag]) => [
      `  --${name}${flag.value ? ` ${flag.value}` : ''}`,
      ...wrap(flag.description, width),
    ]),
    '',
    'Exit codes: 0 green, 1 red, 2 wrong inputs.',
    '',
  ].join('\n');
}

/** What is about one mode. */
export function helpOf(mode: string, width: number): string {
  const usual = [...(mode === 'render' ? [] : WHERE), ...(USUAL[mode as Mode] ?? [])];
  const about = (Object.keys(ONLY) as InputName[]).filter(
    (name) => ONLY[name]?.some((only) => only === mode) && !usual.includes(name),
  );
  return [
    `Usage: consul-deploy ${mode} [--INPUT VALUE]...`,
    '',
    ...wrap(modeDescription(mode), width, 0),
    '',
    ...group('Given most often', usual, width),
    ...group(`For ${mode} and a few others`, about, width),
    'All inputs: consul-deploy --help',
    '',
  ].join('\n');
}

function group(title: string, names: readonly InputName[], width: number): string[] {
  return names.length === 0 ? [] : [title, ...names.flatMap((name) => inputLines(name, width)), ''];
}

function howToGive(width: number): string[] {
  const text = `Each input is a flag, a variable ${ENVIRONMENT_PREFIX}<INPUT>, or a key of the file: a flag goes before the environment, and that before the file. A secret cannot be a flag.`;
  return wrap(text, width, 0);
}

function inputLines(name: InputName, width: number): string[] {
  const { description, default: preset }: Input = INPUTS[name];
  const words = isBoolean(name) ? '' : ` ${wordsOf(name).join('|') || 'VALUE'}`;
  const value = isBoolean(name) ? '[=true|false]' : words;
  return [`  --${name}${value}`, ...wrap(`${description}${preset && ` Default: ${preset}`}`, width)];
}

/** Its part of the description of `mode`, which has one for each, as `word` and what it does. */
export function modeDescription(mode: string): string {
  const parts = INPUTS.mode.description.split(/[;.](?: |$)/);
  const part = parts.find((one) => one.startsWith(`\`${mode}\` `)) ?? '';
  const what = part.slice(mode.length + 3);
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}.`;
}

/** Lines of a text in Markdown, as plain text. */
function wrap(markdown: string, width: number, indent = INDENT): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of markdown.replace(/`|\[(?=\w+\])|\]\([^()\]]*\)/g, '').split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((one) => `${' '.repeat(indent)}${one}`.trimEnd());
}
