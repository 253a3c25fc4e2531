import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/parse.ts';
import { given, mistakes } from '../given.ts';

test('words keep their order, one per line or comma-separated', () => {
  const { chaos } = parseConfig(
    given({ mode: 'verify', chaos: 'delete-client,delete-leader\n\ndelete-server' }),
  );
  expect(chaos).toEqual(['delete-client', 'delete-leader', 'delete-server']);
});

test('each wrong word is told, with the one that was probably meant', () => {
  const allowed = 'delete-server, delete-leader or delete-client, one per line or comma-separated';
  expect(mistakes({ mode: 'verify', chaos: 'delete-sever, unplug, delete-leader, delete-leader' })).toEqual([
    `chaos: given "delete-sever"; allowed: ${allowed}; did you mean \`delete-server\`?`,
    `chaos: given "unplug"; allowed: ${allowed}`,
    'chaos: given "delete-leader"; allowed: each word once',
  ]);
});
