import type { Node } from './pattern.ts';

const ALPHABET = [
  ...'aZ09_-. =:/"\'{}[]()<>@#,;%&*+~|\\^$!?`',
  '\n',
  '\r',
  '\t',
  '\u00e9',
  '\u0000',
  '\u001b',
  '\u0007',
  '\u009b',
  '\u2028',
];
/** What fits nowhere, so that all that came before was in vain. */
const ENDS = ['', '\u0000', '\na'];

/** Some text that the part matches. */
function sample(node: Node): string {
  switch (node.kind) {
    case 'character':
      return ALPHABET.find((one) => node.matches(one)) ?? letters.find((one) => node.matches(one)) ?? '';
    case 'sequence':
      return node.parts.map(sample).join('');
    case 'choice':
      return sample(node.options[0] ?? { kind: 'sequence', parts: [] });
    case 'repeat':
      return sample(node.of).repeat(Math.min(Math.max(1, node.least), 8));
    default:
      return '';
  }
}

const letters = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code));

/** Each part of a pattern that may be repeated, with what leads to it. */
function* pumps(node: Node, before: string): Generator<{ before: string; pump: string }> {
  switch (node.kind) {
    case 'character':
      yield { before, pump: sample(node) };
      break;
    case 'sequence': {
      let path = before;
      for (const part of node.parts) {
        yield* pumps(part, path);
        path += sample(part);
      }
      yield { before, pump: sample(node) };
      break;
    }
    case 'choice':
      for (const option of node.options) yield* pumps(option, before);
      yield { before, pump: node.options.map(sample).join('') };
      break;
    case 'repeat':
      yield* pumps(node.of, before);
      yield { before, pump: sample(node.of) };
      break;
    case 'look':
      yield* pumps(node.of, before);
  }
}

/** Long runs that this pattern stumbles over, if any does: of every kind of character, and of what its parts match. */
export function hostileTexts(pattern: Node, length: number): string[] {
  const runs = new Set(ALPHABET.map((one) => JSON.stringify(['', one])));
  for (const { before, pump } of pumps(pattern, '')) {
    if (pump === '') continue;
    runs.add(JSON.stringify([before, pump]));
    runs.add(JSON.stringify(['', before + pump]));
    // Two runs that one repetition may take for its own.
    runs.add(JSON.stringify([before + pump.repeat(length / 2), pump]));
  }
  return [...runs].flatMap((run) => {
    const [before = '', pump = ''] = JSON.parse(run) as string[];
    const text = before + pump.repeat(Math.ceil(length / pump.length));
    return ENDS.map((end) => text + end);
  });
}
