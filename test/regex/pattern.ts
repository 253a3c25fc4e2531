/** A regular expression, as far as its work depends on it. */
export type Node =
  | { kind: 'character'; matches: (character: string) => boolean }
  | { kind: 'place'; holds: (text: string, at: number) => boolean }
  | { kind: 'sequence'; parts: Node[] }
  | { kind: 'choice'; options: Node[] }
  | { kind: 'repeat'; of: Node; least: number; most: number; isLazy: boolean }
  | { kind: 'look'; of: Node; isBehind: boolean; isNegative: boolean };

const NEAR = 6;
const MARKS = /^(?:\?:|\?=|\?!|\?<=|\?<!|\?<\w+>)/;

/** @throws SyntaxError for what no expression of this project has, such as a backreference */
export function parsePattern(source: string, flags: string): Node {
  let at = 0;
  const next = () => source[at];

  function choice(): Node {
    const options = [sequence()];
    while (next() === '|') {
      at++;
      options.push(sequence());
    }
    return options.length === 1 && options[0] ? options[0] : { kind: 'choice', options };
  }

  function sequence(): Node {
    const parts: Node[] = [];
    while (at < source.length && next() !== '|' && next() !== ')') parts.push(quantified(atom()));
    return { kind: 'sequence', parts };
  }

  function quantified(of: Node): Node {
    const [text, sign, least, comma, most] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(source.slice(at)) ?? [];
    if (text === undefined) return of;
    at += text.length;
    const isLazy = next() === '?';
    if (isLazy) at++;
    const [from, to] = sign
      ? [sign === '+' ? 1 : 0, sign === '?' ? 1 : Number.POSITIVE_INFINITY]
      : [Number(least), most ? Number(most) : comma ? Number.POSITIVE_INFINITY : Number(least)];
    // A repeat that has an end takes so many times the work at most, whatever the text: the end may as well be near.
    const end = to === Number.POSITIVE_INFINITY ? to : Math.min(to, NEAR);
    return { kind: 'repeat', of, least: Math.min(from, NEAR), most: end, isLazy };
  }

  function atom(): Node {
    const rest = source.slice(at);
    if (rest.startsWith('(')) return group();
    if (rest.startsWith('^') || rest.startsWith('$') || /^\\[bB]/.test(rest)) {
      const mark = rest.startsWith('\\') ? rest.slice(0, 2) : rest.slice(0, 1);
      at += mark.length;
      const native = new RegExp(mark, `${flags.replace(/[gy]/g, '')}y`);
      return {
        kind: 'place',
        holds: (text, place) => {
          native.lastIndex = place;
          return native.test(text);
        },
      };
    }
    const [one = ''] =
      /^\[(?:\\.|[^\]\\])*\]|^\\(?:u\{\w+\}|u\w{4}|x\w{2}|[pP]\{[^}]*\}|c\w|.)|^./su.exec(rest) ?? [];
    if (/^\\(?:[1-9]|k<)/.test(one)) throw new SyntaxError(`a backreference: ${source}`);
    at += one.length;
    const native = new RegExp(`^${one}$`, flags.replace(/[gym]/g, ''));
    const known = new Map<string, boolean>();
    const matches = (character: string) => {
      const answer = known.get(character) ?? native.test(character);
      known.set(character, answer);
      return answer;
    };
    return { kind: 'character', matches };
  }

  function group(): Node {
    at++;
    const [mark = ''] = MARKS.exec(source.slice(at)) ?? [];
    at += mark.length;
    const of = choice();
    at++;
    if (!/[=!]$/.test(mark)) return of;
    return { kind: 'look', of, isBehind: mark.includes('<'), isNegative: mark.endsWith('!') };
  }

  return choice();
}
