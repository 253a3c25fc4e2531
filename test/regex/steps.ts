import type { Node } from './pattern.ts';

/** Far more than a text of some hundred characters may take. */
export const MOST_STEPS = 400_000;

class TooMany extends Error {}

/**
 * How many characters an engine that backtracks looks at, as that of V8 does, to find the matches in a text. The
 * number is the same on every machine; more than the most counts as endless.
 */
export function stepsOf(pattern: Node, text: string, flags: string): number {
  let steps = 0;

  function match(node: Node, at: number, then: (end: number) => boolean): boolean {
    if (++steps > MOST_STEPS) throw new TooMany();
    switch (node.kind) {
      case 'character':
        return at < text.length && node.matches(text.charAt(at)) && then(at + 1);
      case 'place':
        return node.holds(text, at) && then(at);
      case 'sequence':
        return sequence(node.parts, 0, at, then);
      case 'choice':
        return node.options.some((option) => match(option, at, then));
      case 'look':
        return looks(node, at) !== node.isNegative && then(at);
      case 'repeat':
        return node.of.kind === 'character' ? run(node, node.of, at, then) : repeat(node, 0, at, then);
    }
  }

  function sequence(
    parts: readonly Node[],
    index: number,
    at: number,
    then: (end: number) => boolean,
  ): boolean {
    const part = parts[index];
    return part ? match(part, at, (end) => sequence(parts, index + 1, end, then)) : then(at);
  }

  function looks({ of, isBehind }: Extract<Node, { kind: 'look' }>, at: number): boolean {
    if (!isBehind) return match(of, at, () => true);
    // As far back as one character: more than that no expression of this project looks.
    return at > 0 && match(of, at - 1, (end) => end === at);
  }

  /** One character over and over: without a call for each, so that long texts do not fill the stack. */
  function run(
    { least, most, isLazy }: Extract<Node, { kind: 'repeat' }>,
    { matches }: Extract<Node, { kind: 'character' }>,
    at: number,
    then: (end: number) => boolean,
  ): boolean {
    let count = 0;
    const grow = () => {
      steps++;
      const may = count < most && at + count < text.length && matches(text.charAt(at + count));
      if (may) count++;
      return may;
    };
    while (count < least) if (!grow()) return false;
    if (isLazy) {
      do {
        if (then(at + count)) return true;
      } while (grow());
      return false;
    }
    while (grow());
    for (; count >= least; count--) {
      steps++;
      if (then(at + count)) return true;
    }
    return false;
  }

  function repeat(
    node: Extract<Node, { kind: 'repeat' }>,
    count: number,
    at: number,
    then: (end: number) => boolean,
  ): boolean {
    const again = () =>
      count < node.most && match(node.of, at, (end) => end > at && repeat(node, count + 1, end, then));
    if (count < node.least) return match(node.of, at, (end) => repeat(node, count + 1, end, then));
    return node.isLazy ? then(at) || again() : again() || then(at);
  }

  for (let start = 0; start <= text.length; ) {
    let end = -1;
    let found: boolean;
    try {
      found = match(pattern, start, (at) => {
        end = at;
        return true;
      });
    } catch (error) {
      if (error instanceof TooMany) return Number.POSITIVE_INFINITY;
      throw error;
    }
    if (flags.includes('y') && !found) break;
    start = found && end > start ? end : start + 1;
  }
  return steps;
}
