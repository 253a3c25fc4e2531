import { expect, test } from 'vitest';
import { tellDeleted } from '../../../src/steps/chaos/chaos.ts';
import { startRun } from '../../session/fixture.ts';

test.each([
  [
    ['consul-server-0'],
    true,
    'consul-server-0 was deleted on purpose, and healed by itself. Nothing else was changed; the record has one run more.',
  ],
  [
    ['consul-server-0'],
    false,
    'consul-server-0 was deleted on purpose, and healed by itself. Nothing else was changed.',
  ],
  [
    ['consul-server-0', 'consul-client-1'],
    false,
    'consul-server-0 and consul-client-1 were deleted on purpose, and healed by themselves. Nothing else was changed.',
  ],
  [[], true, 'Nothing was changed.'],
])('the report of a run that deleted %j, recorded: %j, says what is left', (deleted, isRecorded, left) => {
  const { run } = startRun();
  tellDeleted(run, deleted, isRecorded);
  expect(run.result().left).toBe(left);
});
