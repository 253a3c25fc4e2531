import { enumerate } from '../enumerate.ts';
import { nearest } from '../nearest.ts';
import { splitList } from './list.ts';
import { type Parser, parser } from './parser.ts';

/** A list of a few words, each at most once. Empty text is the empty list. */
export function words<const Word extends string>(allowed: readonly Word[]): Parser<Word[]> {
  return parser(`${enumerate(allowed)}, one per line or comma-separated`, (text, refuse) =>
    splitList(text).map((item, index, items) => {
      const word = allowed.find((one) => one === item);
      if (word === undefined) {
        const meant = nearest(item, allowed);
        return refuse({ given: item, hint: meant && `did you mean \`${meant}\`?` });
      }
      return items.indexOf(item) < index ? refuse({ given: item, allowed: 'each word once' }) : word;
    }),
  );
}
