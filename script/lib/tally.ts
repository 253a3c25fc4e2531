// What vitest's JSON reports say, for script/test.
// usage: tally.ts count REPORT [AGAIN]   `PASSED FAILED`; the files of a second report stand in for those of the first
//        tally.ts failed REPORT          the files with a failed test, a line each
//        tally.ts unsteady REPORT AGAIN  the tests that failed and then passed, a line each
//        tally.ts slowest REPORT...      the ten files that took longest from their first test to their last, a line each
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

interface TestFile {
  name: string;
  status: string;
  /** In ms since 1970. */
  startTime: number;
  endTime: number;
  assertionResults: { fullName: string; status: string }[];
}

function files(report: string | undefined): TestFile[] {
  if (report === undefined) return [];
  return (JSON.parse(readFileSync(report, 'utf8')) as { testResults: TestFile[] }).testResults;
}

const isFailed = ({ status, assertionResults }: TestFile) =>
  status !== 'passed' || assertionResults.some((test) => test.status !== 'passed');

/** A file that could not even be loaded has no tests, and counts as one. */
function count(all: readonly TestFile[]): { passed: number; failed: number } {
  const tests = all.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const unloaded = all.filter(
    (file) => isFailed(file) && file.assertionResults.every(({ status }) => status === 'passed'),
  );
  return { passed, failed: tests.length - passed + unloaded.length };
}

const SLOWEST = 10;

const [command, first, second] = process.argv.slice(2);
const [before, again] = [files(first), files(second)];
const names = new Set(again.map(({ name }) => name));

if (command === 'count') {
  const { passed, failed } = count([...before.filter(({ name }) => !names.has(name)), ...again]);
  console.log(passed, failed === 0 && passed === 0 ? 1 : failed);
} else if (command === 'failed') {
  for (const { name } of before.filter(isFailed)) console.log(name);
} else if (command === 'unsteady') {
  const passed = new Set(
    again.flatMap(({ name, assertionResults }) =>
      assertionResults.flatMap(({ fullName, status }) =>
        status === 'passed' ? [`${name} ${fullName}`] : [],
      ),
    ),
  );
  for (const { name, assertionResults } of before) {
    for (const { fullName, status } of assertionResults) {
      if (status !== 'passed' && passed.has(`${name} ${fullName}`)) console.log(fullName);
    }
  }
} else if (command === 'slowest') {
  const seconds = ({ startTime, endTime }: TestFile) => Math.round((endTime - startTime) / 1000);
  const slowest = process.argv
    .slice(3)
    .flatMap(files)
    .sort((a, b) => seconds(b) - seconds(a));
  for (const file of slowest.slice(0, SLOWEST))
    console.log(`${String(seconds(file)).padStart(6)} s  ${relative(process.cwd(), file.name)}`);
} else {
  throw new Error(`no command ${command}`);
}
