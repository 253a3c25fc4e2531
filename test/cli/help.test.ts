import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readArguments } from '../../src/cli/arguments.ts';
import { completion } from '../../src/cli/completion.ts';
import { help, helpOf } from '../../src/cli/help.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { inputs } = parse(read('action.yml')) as { inputs: Record<string, object> };
const NAMES = Object.keys(inputs).filter((name) => name !== 'mode');
const MODES: string[] = JSON.parse(read('docs/report.schema.json')).properties.mode.enum;

describe('help', () => {
  const text = help(80);

  test('has every input and every mode, each with what it is', () => {
    const lines = text.split('\n');
    for (const name of NAMES) {
      const at = lines.findIndex((line) => new RegExp(`^ {2}--${name}(?=[ [])`).test(line));
      expect(lines[at + 1], name).toMatch(/^ {6}\S.{9}/);
    }
    expect(MODES.length).toBeGreaterThan(5);
    for (const mode of MODES) expect(lines[lines.indexOf(`  ${mode}`) + 1], mode).toMatch(/^ {6}[A-Z].{15}/);
  });

  test('is plain text that fits', () => {
    expect(text).not.toMatch(/`|\]\(/);
    const long = text.split('\n').filter((line) => line.length > 80 && !/^ {2}--|^ {6}\S+$/.test(line));
    expect(long).toEqual([]);
  });

  test('has examples that the command takes', () => {
    const examples = [...text.matchAll(/^ {2}consul-deploy (.+)$/gm)].map(([, args = '']) => args.split(' '));
    expect(examples.length).toBeGreaterThan(2);
    for (const args of examples) {
      const { words, mistakes } = readArguments(args);
      expect(mistakes).toEqual([]);
      expect(MODES).toContain(words.join(' '));
    }
  });

  test('says the words that an input takes', () => {
    expect(text).toContain('\n  --on-drift fail|report\n');
    expect(text).toContain('\n  --ui[=true|false]\n');
  });

  test('of a mode begins with what it does and has what is about it alone', () => {
    expect(helpOf('sweep', 80)).toMatch(/^Usage: consul-deploy sweep .*\n\nFinds ghosts in the catalog/);
    expect(helpOf('sweep', 80)).toContain('\n  --sweep-apply');
    expect(helpOf('verify', 80)).not.toContain('--sweep-apply');
    for (const mode of MODES) expect(helpOf(mode, 80)).toMatch(/\n\n[A-Z].{15}/);
  });

  test('of a mode has what nearly everybody gives, before what few do', () => {
    const lines = helpOf('deploy', 80).split('\n');
    const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
    const usual = ['  --namespace VALUE', '  --servers ', '  --client-replicas VALUE'].map(at);
    for (const index of usual) expect(index).toBeGreaterThan(at('Given most often'));
    for (const index of usual) expect(index).toBeLessThan(at('For deploy and a few others'));
    expect(helpOf('destroy', 80).match(/^ {2}--confirm /gm)).toHaveLength(1);
    expect(helpOf('render', 80)).not.toContain('--kubeconfig');
  });
});

/** What bash offers for the last of these words, as its line editor asks for it. */
function offered(...words: string[]): string[] {
  const script = `${completion('bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_consul_deploy
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-eu', '-c', script, 'bash', ...words], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('completion in bash', () => {
  test.each<[string[], string[]]>([
    [['ver'], ['verify']],
    [['verify', '--sweep'], ['--sweep-apply']],
    [
      ['verify', '--on-drift', ''],
      ['fail', 'report'],
    ],
    [['verify', '--on-drift', 'r'], ['report']],
    [
      ['verify', '--on-drift', '='],
      ['fail', 'report'],
    ],
    [['verify', '--on-drift', '=', 'f'], ['fail']],
    [
      ['verify', '--set', 'expect-'],
      ['expect-cluster=', 'expect-plan='],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['deploy', '--name', ''], []],
  ])('%j', (words, expected) => expect(offered('consul-deploy', ...words)).toEqual(expected));

  test('offers every mode and every input', () => {
    expect(offered('consul-deploy', '')).toEqual(expect.arrayContaining(MODES));
    expect(offered('consul-deploy', 'deploy', '--')).toEqual(
      expect.arrayContaining(NAMES.map((name) => `--${name}`)),
    );
  });
});

test.each(['zsh', 'fish'])('completion for %s has every mode and input', (shell) => {
  const script = completion(shell) ?? '';
  for (const name of NAMES) expect(script).toMatch(new RegExp(`(?:--|-l )${name}\\b`));
  for (const mode of MODES) expect(script).toContain(mode);
});

test('there is none for another shell', () => expect(completion('csh')).toBeUndefined());
