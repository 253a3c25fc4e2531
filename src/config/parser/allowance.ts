import type { Allowance } from '../config.ts';
import { type Parser, parser } from './parser.ts';

/** `2` or `10%`. */
export const allowance: Parser<Allowance> = parser(
  'a count from 0 to 5000 such as 2, or a share from 0% to 100% such as 10%',
  (text, refuse) => {
    const [, digits, sign] = /^(\d{1,4})(%?)$/.exec(text) ?? [];
    const value = Number(digits);
    if (sign === '%' && value <= 100) return { kind: 'percent', percent: value };
    if (sign === '' && value <= 5000) return { kind: 'count', count: value };
    return refuse();
  },
);
