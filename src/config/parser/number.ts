import { type Parser, parser } from './parser.ts';

/** Digits only: no sign, fraction or exponent. */
export function wholeNumber(min: number, max: number): Parser<number> {
  return parser(`a whole number from ${min} to ${max}`, (text, refuse) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : refuse();
  });
}
