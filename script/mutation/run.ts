/**
 * Mutation testing of the rooms without input and output: breaks their code in thousands of small ways, one at a time,
 * and runs the tests of that room against each. docs/design/mutation-testing.md has the results.
 *
 *   npm run mutation [-- ROOM|FILE...]    such as `rollout`, `consul/quorum`, `rollout/pod.ts`; default: all rooms
 *
 * Exits with 1 where a room's score is below 85 %. MUTATION_CONCURRENCY: how many at once (default: 1). MUTATION_RUNNER:
 * `one-process` (default), or `vitest`, which loads all modules anew for each mutant and takes seconds for it.
 * MUTATION_LEFT_OUT: paths of tests to leave out, for parts that slow tests do not reach: what survives then may still be
 * noticed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const ROOMS = [
  ...[
    'rollout',
    'change',
    'inventory',
    'diagnosis',
    'certificates',
    'secret',
    'manifests',
    'config',
    'report',
  ],
  ...['consul/quorum', 'consul/snapshot', 'consul/catalog'],
];

const asked = process.argv.slice(2);
const parts = (asked.length > 0 ? asked : ROOMS).map((part) => ({ part, room: roomOf(part) }));
const mistakes = parts.flatMap(({ part, room }) =>
  room !== undefined && existsSync(join(ROOT, 'src', part)) ? [] : [`${part} is no room and no file of one`],
);
if (mistakes.length > 0) {
  console.error([...mistakes, `Rooms: ${ROOMS.join(', ')}`].join('\n'));
  process.exit(2);
}

const failed = parts.filter(({ part, room }) => !isGood(part, `${room}`)).map(({ part }) => part);
if (failed.length > 0) {
  console.error(`Below the score, or not measured: ${failed.join(', ')}`);
  process.exit(1);
}

function roomOf(part: string): string | undefined {
  return ROOMS.find((room) => part === room || part.startsWith(`${room}/`));
}

/** Runs Stryker on one room, or a file of it, with the tests of that room alone. */
function isGood(part: string, room: string): boolean {
  const name = part.replaceAll(/\W/g, '-');
  const { status } = spawnSync('stryker', ['run', 'script/mutation/stryker.config.mjs'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      MUTATION_ROOM: room,
      MUTATION_FILES: part.endsWith('.ts') ? `src/${part}` : `src/${part}/**/*.ts`,
      MUTATION_REPORT: `reports/mutation/${name}`,
    },
  });
  return status === 0;
}
