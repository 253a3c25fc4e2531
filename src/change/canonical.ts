import { quantity } from './quantity.ts';

/** Maps whose values are quantities, and fields that are one. */
const MAPS: ReadonlySet<string> = new Set([
  ...['requests', 'limits', 'hard', 'capacity', 'allocatable', 'overhead', 'podFixed'],
  ...['min', 'max', 'default', 'defaultRequest', 'maxLimitRequestRatio'],
]);
const FIELDS: ReadonlySet<string> = new Set(['sizeLimit']);

/** The field that holds a value, and the one around it. */
interface Place {
  key?: string;
  parent?: string;
}

/**
 * One text for all ways to write the same JSON: keys by the alphabet, quantities by their amount, and null for what
 * is not there. The order of lists stays.
 * @param place where the value stands: amounts are told by the names of fields
 */
export function canonical(value: unknown, place: Place = {}): string {
  const { key = '', parent = '' } = place;
  return JSON.stringify(plainForm(value, FIELDS.has(key) || MAPS.has(parent), MAPS.has(key))) ?? 'null';
}

export function isSame(a: unknown, b: unknown, place: Place = {}): boolean {
  return canonical(a, place) === canonical(b, place);
}

function plainForm(value: unknown, isQuantity: boolean, holdsQuantities: boolean): unknown {
  if (Array.isArray(value)) return value.map((entry) => plainForm(entry, false, false));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .filter(([, entry]) => entry !== null && entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, plainForm(entry, holdsQuantities || FIELDS.has(key), MAPS.has(key))]);
  }
  const amount = isQuantity ? quantity(value) : undefined;
  return amount === undefined ? value : { amount: String(amount) };
}
