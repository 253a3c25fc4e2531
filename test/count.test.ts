import { expect, it } from 'vitest';
import { count } from '../src/count.ts';

it.each([
  ['0 pods', 0, 'pod'],
  ['1 pod', 1, 'pod'],
  ['2 pods', 2, 'pod'],
  ['1 more line', 1, 'more line'],
  ['1 entry', 1, 'entry', 'entries'],
  ['3 entries', 3, 'entry', 'entries'],
])('%s', (text, number, noun, plural?: string) => {
  expect(count(number, noun, plural)).toBe(text);
});
