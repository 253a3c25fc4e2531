import { type Parser, parser } from './parser.ts';

const OPENING = '[{(';
const CLOSING = ']})';

/**
 * One item per line or separated by commas; blank items are dropped.
 * A comma inside brackets belongs to its item: `{a,b}` in a glob, `[port=53,protocol="UDP"]` in a field path.
 */
export function splitList(text: string): string[] {
  const items: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    let depth = 0;
    let start = 0;
    for (let index = 0; index < line.length; index++) {
      const char = line.charAt(index);
      if (OPENING.includes(char)) depth++;
      else if (CLOSING.includes(char)) depth = Math.max(0, depth - 1);
      else if (char === ',' && depth === 0) {
        items.push(line.slice(start, index));
        start = index + 1;
      }
    }
    items.push(line.slice(start));
  }
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

/** A list whose wrong items are reported one by one. Empty text is the empty list. */
export function list(allowed: string, isAllowed: (item: string) => boolean): Parser<string[]> {
  return parser(`${allowed}, one per line or comma-separated`, (text, refuse) => {
    const items = splitList(text);
    for (const item of items) if (!isAllowed(item)) refuse({ given: item });
    return items;
  });
}
