import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What stops something that everybody needs, counts what fails meanwhile, or has to heal in time: no more than two of these at once. */
export const TIMED = [
  'test/e2e/adoption/adopt.test.ts',
  'test/e2e/encryption/gossip.test.ts',
  'test/e2e/encryption/tls.test.ts',
  'test/e2e/faults/outage.test.ts',
  'test/e2e/faults/pod.test.ts',
  'test/e2e/proof/chaos.test.ts',
  'test/e2e/proof/never-green.test.ts',
  'test/e2e/proof/stable.test.ts',
];

/** What takes minutes by itself, or crashes nodes: `script/test --soak`. */
const SOAK = 'test/e2e/soak/**/*.test.ts';

/** What tests wait for is asked of one kubectl, which stays. */
const PROXY = 'test/e2e/kubernetes/kubectl-proxy.ts';

/** One cluster for all, each scenario in a namespace of its own; more at once than a few only wait for the processors. */
const CLUSTER = { testTimeout: 300_000, hookTimeout: 300_000, maxConcurrency: 4 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/chromium/**'],
          testTimeout: 30_000,
          // Many of them wait for a server of their own: three workers on two processors take half the time of one.
          maxWorkers: Math.max(3, availableParallelism() - 1),
          // As long as a busy machine may take to get round to it.
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: {
          // Needs a Chromium: what a page looks like no parser knows.
          name: 'chromium',
          include: ['test/chromium/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...CLUSTER,
          name: 'e2e',
          globalSetup: PROXY,
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...TIMED, SOAK],
          // Most of them wait most of the time: three on two processors took 916 s, two some 1,500.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...CLUSTER,
          name: 'e2e-timed',
          globalSetup: PROXY,
          include: TIMED,
          // Together 659 s, one after the other some 1,400.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...CLUSTER,
          name: 'e2e-soak',
          globalSetup: PROXY,
          include: [SOAK],
          fileParallelism: false,
        },
      },
    ],
  },
});
