// For script/mutation/run.ts. https://stryker-mutator.io/docs/stryker-js/configuration/
const {
  MUTATION_FILES,
  MUTATION_REPORT,
  MUTATION_CONCURRENCY = '1',
  MUTATION_RUNNER = 'one-process',
} = process.env;

export default {
  testRunner: MUTATION_RUNNER,
  plugins: ['@stryker-mutator/vitest-runner', './script/mutation/one-process.ts'],
  vitest: { configFile: 'script/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // What runs once, when a module is loaded, would take all tests of the room for each mutant: it is not measured.
  ignoreStatic: true,
  // That one writes files.
  mutate: [MUTATION_FILES, '!src/report/publish.ts'],
  concurrency: Number(MUTATION_CONCURRENCY),
  // Beside others a machine may take seconds to get round to a test, which is no loop without an end.
  timeoutMS: 30_000,
  // TypeScript 7 has no API for programs, and Node takes types out without looking at them.
  disableTypeChecks: false,
  tsconfigFile: 'none',
  ignorePatterns: ['dist', 'bench', 'testbed', 'reports', 'screenshots', 'test/e2e', 'docs/images'],
  reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: `${MUTATION_REPORT}.html` },
  jsonReporter: { fileName: `${MUTATION_REPORT}.json` },
  thresholds: { high: 95, low: 85, break: 85 },
};
