import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { mistakesIn } from '../.github/scripts/workflow-rules.ts';

const COMMIT = '3d3c42e5aac5ba805825da76410c181273ba90b1';
const CHECKOUT = { uses: `actions/checkout@${COMMIT} # v7.0.1`, with: { 'persist-credentials': false } };
const HARDEN = { uses: `step-security/harden-runner@${COMMIT} # v2.20.1` };
const JOB = {
  'runs-on': 'ubuntu-24.04',
  'timeout-minutes': 5,
  permissions: { contents: 'read' },
  steps: [CHECKOUT],
};
const WRITER = { ...JOB, permissions: { contents: 'write' }, steps: [HARDEN, CHECKOUT] };

/** A workflow as text; what follows the commit is a comment there, and no part of a name. */
const text = (workflow: object) =>
  stringify(workflow, { lineWidth: 0 }).replace(/"?(\S+@\S+ # v[\d.]+)"?/g, '$1');
const workflow = (job: object, rest: object = {}) =>
  text({ on: { push: null }, permissions: {}, jobs: { one: job }, ...rest });
const step = (one: object) => workflow({ ...JOB, steps: [CHECKOUT, one] });

describe('a workflow that keeps all rules', () => {
  test.each([
    ['reads', workflow(JOB)],
    ['writes', workflow(WRITER)],
  ])('%s', (_, one) => expect(mistakesIn(one, false)).toEqual([]));
});

describe('what is against a rule is told', () => {
  test.each([
    ['top-level permissions have to be {}', workflow(JOB, { permissions: { contents: 'read' } })],
    ['job one does not say its permissions', workflow({ ...JOB, permissions: undefined })],
    [
      'job one has write-all: name each permission that it needs',
      workflow({ ...JOB, permissions: 'write-all' }),
    ],
    ['job one has no timeout-minutes', workflow({ ...JOB, 'timeout-minutes': undefined })],
    [
      'job one passes on all secrets: name those that are needed',
      workflow({ uses: './.github/workflows/ci.yml', permissions: {}, secrets: 'inherit' }),
    ],
    [
      'job passed does not need one',
      text({ on: { push: null }, permissions: {}, jobs: { one: JOB, passed: { ...JOB, needs: ['two'] } } }),
    ],
    [
      'actions/setup-python@v6 is not pinned as owner/name@<commit> # vX.Y.Z',
      step({ uses: 'actions/setup-python@v6' }),
    ],
    ['job one has an expression in a script: give it by env', step({ run: `echo "\${{ github.ref }}"` })],
    [
      'pull_request_target gives code of others the rights of this repository',
      workflow(JOB, { on: { pull_request_target: null } }),
    ],
    [
      'workflow_run gives code of others the rights of this repository',
      workflow(JOB, { on: ['workflow_run'] }),
    ],
    [
      'pull_request_target gives code of others the rights of this repository',
      workflow(JOB, { on: 'pull_request_target' }),
    ],
    [
      'commands that any output could give are allowed',
      step({ run: 'true', env: { ACTIONS_ALLOW_UNSECURE_COMMANDS: true } }),
    ],
    ['a checkout keeps its credentials', workflow({ ...JOB, steps: [{ uses: CHECKOUT.uses }] })],
    ['runs for pull requests, and not for the merge queue', workflow(JOB, { on: { pull_request: null } })],
    ['job one runs on a runner that stays', workflow({ ...JOB, 'runs-on': ['self-hosted', 'linux'] })],
    ['npm installs without --ignore-scripts', step({ run: 'npm ci' })],
    ['actions/cache has a cache', step({ uses: `actions/cache@${COMMIT} # v6.1.0` })],
    ['actions/setup-node has a cache', step({ uses: `actions/setup-node@${COMMIT} # v6.4.0` })],
    [
      'actions/setup-go has a cache',
      step({ uses: `actions/setup-go@${COMMIT} # v6.4.0`, with: { cache: true } }),
    ],
    [
      'job one may write: its first step has to be harden-runner',
      workflow({ ...WRITER, steps: [CHECKOUT, HARDEN] }),
    ],
    [
      'job one may write, and runs packages that it downloads: leave that to a job that may not',
      workflow({ ...WRITER, steps: [HARDEN, { run: 'npm ci --ignore-scripts' }] }),
    ],
    [
      'job one may write, and runs packages that it downloads: leave that to a job that may not',
      workflow({ ...WRITER, permissions: { 'id-token': 'write' }, steps: [HARDEN, { run: 'npx thing' }] }),
    ],
  ])('is told: %s', (mistake, one) => expect(mistakesIn(one, false)).toEqual([mistake]));
});

test('no job of a release, nor of what it calls, has a cache or a right that it does not name', () => {
  const called = ['release', 'ci', 'check-dist', 'platforms', 'e2e-kind'];
  for (const name of called) {
    const file = readFileSync(new URL(`../.github/workflows/${name}.yml`, import.meta.url), 'utf8');
    for (const [, uses = ''] of file.matchAll(/uses: \.\/\.github\/workflows\/(\S+)\.yml/g))
      expect(called, `${name} calls it`).toContain(uses);
    expect(mistakesIn(file, false), name).toEqual([]);
  }
});
