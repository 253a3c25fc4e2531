import { expect, test } from 'vitest';
import { fragment } from '../../../src/config/parser/fragment.ts';
import { mistakes } from '../given.ts';

test('text passes as it is: JSON where it starts with {, else HCL', () => {
  expect(fragment.parse('{ "a": 1 }')).toEqual({ format: 'json', text: '{ "a": 1 }' });
  expect(fragment.parse('limits {\n  x = 1\n}')).toEqual({ format: 'hcl', text: 'limits {\n  x = 1\n}' });
});

test.each([
  ['{"encrypt": "canary",}', ' at line 1, column 22'],
  ['{\n  "a": canary\n}', ' at line 2, column 8'],
  ["{'encrypt': 'canary'}", ' at line 1, column 2'],
  ['{"encrypt": "canary"', /at line 1, column 2\d/],
  ['{"encrypt": [1,]} // canary', ''],
  // The engine quotes the text, which may say something like a position.
  ['{"a":[1,]}(line 7 column 8)', /^(?!.*line 7)/],
  [`${'\n'.repeat(11).replace('', '{')}"canary": x}`, ' at line 12, column '],
  [
    '{"a" 1}',
    /; allowed: a JSON object, because it starts with \{; JSON has no comments, no trailing commas and only double quotes$/,
  ],
])('%j is refused by position, without showing it', (text, position) => {
  const lines = mistakes({ 'server-config': text });
  expect(lines).toEqual([
    expect.stringMatching(/^server-config: given a value that is not shown.*; allowed: a JSON object/),
  ]);
  expect(lines[0]).toMatch(position);
  expect(lines[0]).not.toContain('canary');
});
