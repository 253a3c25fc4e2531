import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Input } from '../../src/config/inputs/input.ts';
import { INPUT_NAMES, INPUTS, type InputName } from '../../src/config/inputs.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { Failure } from '../../src/failure.ts';
import { given } from './given.ts';

/** Something that each input takes, to begin with. */
const SAMPLES: Partial<Record<InputName, string>> = {
  context: 'kind-a',
  kubeconfig: '/etc/kube/config',
  'expect-cluster': '*staging*',
  recursors: '8.8.8.8:53, 2001:db8::1',
  'storage-class': 'fast.ssd',
  'server-config': '{"log_level": "debug"}',
  'client-config': 'log_level = "debug"',
  patches: '- target: {kind: Service, name: consul-ui}\n  merge: {spec: {type: LoadBalancer}}',
  'post-render': 'kustomize build',
  'force-conflicts': 'StatefulSet/consul-client:.spec.replicas',
  'max-unready-clients': '10%',
  'report-path': 'out/report.json',
  'manifests-path': 'out/all.yaml',
};
const sample = (name: InputName) => SAMPLES[name] ?? INPUTS[name].default;

const arbitrary = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.json(),
  fc.string({ unit: fc.constantFrom(...'{}[]:,-"\'&*!|>%@#?~ \n\t0a') }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'null',
    '~',
    '-0',
    '1e999',
    '٣',
    '\u2028',
    '../../x',
    '0'.repeat(9_999),
  ),
);
/** Right but for one place. */
function nearly(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(text.length), fc.nat(3), arbitrary)
    .map(([at, length, other]) => text.slice(0, at) + other + text.slice(at + length));
}

/** The lines of the Failure; empty where it is taken. */
function told(inputs: Record<string, string>): readonly string[] {
  try {
    expect(Object.isFrozen(parseConfig(given(inputs)))).toBe(true);
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.reason).toBe('invalid-input');
    expect(error.details).not.toEqual([]);
    return error.details;
  }
}

/** One line, no longer than a screen is wide a few times, that begins with the name of an input. */
const LINE = /^([a-z-]+): given [^\p{Cc}\u2028\u2029]{1,300}; allowed: [^\p{Cc}\u2028\u2029]{1,400}$/u;

describe.each(INPUT_NAMES)('%s', (name) => {
  test('takes its sample', () => {
    expect(told({ [name]: sample(name) })).toEqual([]);
  });

  test('takes or refuses any text, and a refusal names it', () => {
    const texts = fc.oneof(arbitrary, nearly(sample(name)));
    fc.assert(
      fc.property(texts, (text) => {
        for (const line of told({ [name]: text })) {
          const [, named] = LINE.exec(line) ?? [];
          expect(INPUT_NAMES, line).toContain(named);
        }
      }),
      { numRuns: 150 },
    );
  });
});

test('any texts in any inputs, some of which there are not: each line names what it is about', () => {
  const crafted = [
    '{',
    '[[',
    '- &a [*a]',
    '.nan',
    '{"a":1',
    '0',
    '10%',
    '1e999',
    '!!x y',
    '%YAML 9',
    '---\n---',
    '__proto__: 1',
  ];
  const text = fc.oneof(arbitrary, fc.base64String(), fc.constantFrom(...crafted));
  const name = fc.oneof({ arbitrary: fc.constantFrom(...INPUT_NAMES), weight: 9 }, fc.string());
  fc.assert(
    fc.property(fc.dictionary(name, text), (inputs) => {
      for (const line of told(inputs))
        expect(line).toMatch(/^\S.*: (given .*; allowed: .*|there is no such input; .*)$/);
    }),
    { numRuns: 500 },
  );
});

test('each mistake is told, however many there are', () => {
  // None of them takes this.
  const wrong = '\u0001\n{';
  const takers: InputName[] = ['server-config', 'client-config'];
  const some = fc.subarray(
    INPUT_NAMES.filter((name) => !takers.includes(name)),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(some, (names) => {
      const lines = told(Object.fromEntries(names.map((name) => [name, `x${wrong}x`])));
      expect(new Set(lines.map((line) => LINE.exec(line)?.[1]))).toEqual(new Set(names));
    }),
  );
});

test('what may be secret is not repeated, wherever in it the mistake is', () => {
  const secret = 'canary7';
  const confidential = INPUT_NAMES.filter((name) => (INPUTS[name] as Input).confidential);
  const texts = fc
    .constantFrom(...confidential)
    .chain((name) => fc.tuple(fc.constant(name), nearly(`${sample(name)}\n${secret}: "${secret}"`)));
  let refused = 0;
  fc.assert(
    fc.property(texts, ([name, text]) => {
      const lines = told({ [name]: text });
      refused += lines.length;
      expect(lines.join('\n')).not.toContain(secret);
    }),
    { numRuns: 500 },
  );
  expect(refused).toBeGreaterThan(50);
});
