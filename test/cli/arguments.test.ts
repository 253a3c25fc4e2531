import { describe, expect, test } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';

const inputs = (...args: string[]) => Object.fromEntries(readArguments(args).inputs);
const mistakes = (...args: string[]) => readArguments(args).mistakes;

describe('an input is a flag of its name', () => {
  test.each<[string[], Record<string, string>]>([
    [['--namespace', 'x'], { namespace: 'x' }],
    [['--namespace=x'], { namespace: 'x' }],
    [['--namespace='], { namespace: '' }],
    [['--expect-cluster=!*production*'], { 'expect-cluster': '!*production*' }],
    [['--patches', '- a=b'], { patches: '- a=b' }],
    [['--ui'], { ui: 'true' }],
    [['--ui=false', '--lock=false'], { ui: 'false', lock: 'false' }],
    [['--ui', '--namespace', 'x'], { ui: 'true', namespace: 'x' }],
    [['--set', 'servers=5', '--set=image=r/consul:1=2'], { servers: '5', image: 'r/consul:1=2' }],
    [['--confirm=--x'], { confirm: '--x' }],
  ])('%j', (args, expected) => {
    expect(inputs(...args)).toEqual(expected);
    expect(mistakes(...args)).toEqual([]);
  });

  test('a word beside them is the mode, before or behind them', () => {
    expect(readArguments(['verify', '--ui', '--namespace', 'x']).words).toEqual(['verify']);
    expect(readArguments(['--namespace', 'x', '--ui', 'verify']).words).toEqual(['verify']);
  });

  test('flags of the command are told from inputs', () => {
    const { own, inputs: found } = readArguments(['-h', '--json', '--file', '-', '--outputs=o.env']);
    expect([...own]).toEqual([
      ['help', ''],
      ['json', ''],
      ['file', '-'],
      ['outputs', 'o.env'],
    ]);
    expect(found.size).toBe(0);
  });
});

describe('a mistake says what was meant', () => {
  test.each<[string[], string[]]>([
    [['--namspace', 'x'], ['--namspace: there is no such flag; did you mean `--namespace`?']],
    [['--namspace=x'], ['--namspace: there is no such flag; did you mean `--namespace`?']],
    [['--jsn', 'verify'], ['--jsn: there is no such flag; did you mean `--json`?']],
    [['--no-ui'], ['--no-ui: there is no such flag; write `--ui=false` for it']],
    [['-x', 'x'], ['-x: there is no such flag; see `consul-deploy --help` for those there are']],
    [['-n', 'x'], ['-n: there is no such flag; here it is `--namespace`']],
    [['--dry-run'], ['--dry-run: there is no such flag; here it is the mode `plan`, which writes nothing']],
    [['namespace=x'], ['namespace=…: a flag begins with two hyphens: `--namespace=…`']],
    [
      ['--__proto__', '--constructor'],
      [
        '--__proto__: there is no such flag; see `consul-deploy --help` for those there are',
        '--constructor: there is no such flag; see `consul-deploy --help` for those there are',
      ],
    ],
    [['--namespace'], ['--namespace: its value is missing']],
    [
      ['--namespace', '--json'],
      [
        '--namespace: its value is missing; a value that begins with a hyphen is written as `--namespace=VALUE`',
      ],
    ],
    [
      ['--servers=1', '--set', 'servers=3'],
      ['--set servers: given more than once; several values go into one, separated by commas'],
    ],
    [['--set', 'servers'], ['--set: allowed: an input, `=` and its value']],
    [['--set', '=3'], ['--set: allowed: an input, `=` and its value']],
    [['--set', 'server=3'], ['--set: "server": there is no such input; did you mean `servers`?']],
    [['--json=yes'], ['--json: it takes no value']],
    [['--file='], ['--file: nothing was given; allowed: a path']],
    [['--file', 'a', '--file', 'b'], ['--file: given more than once']],
  ])('%j', (args, expected) => expect(mistakes(...args)).toEqual(expected));

  test('what stands behind an unknown flag is no second mistake, and a mode there is one all the same', () => {
    expect(readArguments(['deploy', '--namspace', 'x']).words).toEqual(['deploy']);
    expect(readArguments(['--jsn', 'verify']).words).toEqual(['verify']);
    expect(readArguments(['deploy', '--namspace=x', 'y']).words).toEqual(['deploy', 'y']);
  });

  test('and never has a value, which may be a secret', () => {
    const secret = 'correct-horse-battery';
    const all = [
      ...mistakes('--snapshot-kye', secret, `--snapshotkey=${secret}`, '--set', secret),
      ...mistakes('--snapshot-key', secret, '--snapshot-key', secret, '--set', `snapshot-kye=${secret}`),
      ...mistakes(`--json=${secret}`),
      ...mistakes(`snapshot-key=${secret}`),
    ];
    expect(all.length).toBeGreaterThanOrEqual(7);
    expect(all.join('\n')).not.toContain(secret);
  });
});
