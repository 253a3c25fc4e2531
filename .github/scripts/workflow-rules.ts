/**
 * House rules for workflows and examples that actionlint does not know: no permission by default, a time limit on
 * every job, every action pinned by commit with its version in a comment, no cache, no script of a package that is
 * installed, no check that a merge queue goes without, no job that "CI passed" forgets, and no job that changes a
 * cluster without an environment and a group that lets it finish, but for one that makes the cluster itself.
 *
 * The rules of zizmor (https://docs.zizmor.sh/audits/) that matter here are among them: unpinned-uses, artipacked,
 * cache-poisoning, excessive-permissions, template-injection, dangerous-triggers, secrets-inherit, self-hosted-runner,
 * insecure-commands.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

interface Concurrency {
  group?: string;
  'cancel-in-progress'?: unknown;
}

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  uses?: string;
  needs?: string | string[];
  permissions?: unknown;
  'timeout-minutes'?: number;
  environment?: unknown;
  concurrency?: Concurrency;
  secrets?: unknown;
  'runs-on'?: unknown;
  steps?: Step[];
}

interface Workflow {
  on: string | string[] | Record<string, unknown>;
  permissions?: unknown;
  concurrency?: Concurrency;
  jobs: Record<string, Job>;
}

type Say = (mistake: string) => void;

/** This action itself, in the examples: its commit is that of the release, which is not known beforehand. */
const OURS = /^org\/consul-deploy@v\d+\.\d+\.\d+ # better: the commit of v\d+\.\d+\.\d+, see README$/;

/** Actions that have a cache by default, and the input that turns it off. */
const CACHED_UNLESS: Record<string, string> = {
  'actions/setup-node': 'package-manager-cache',
  'actions/setup-go': 'cache',
};

const HARDEN = /^step-security\/harden-runner@/;

/** What is wrong with a workflow of this repository, or with an example. */
export function mistakesIn(text: string, isExample: boolean): string[] {
  const mistakes: string[] = [];
  const say = (mistake: string) => mistakes.push(mistake);
  const workflow = parse(text) as Workflow;
  checkJobs(workflow, say);
  checkPins(text, isExample, say);
  checkInjection(workflow, text, say);
  if (isExample) checkClusters(workflow, say);
  else {
    checkCheckouts(text, say);
    checkInstalls(workflow, say);
    checkWriters(workflow, say);
  }
  return mistakes;
}

function checkJobs({ permissions, jobs }: Workflow, say: Say): void {
  if (JSON.stringify(permissions) !== '{}') say('top-level permissions have to be {}');
  for (const [name, job] of Object.entries(jobs)) {
    if (job.permissions === undefined) say(`job ${name} does not say its permissions`);
    // `read-all` and `write-all`
    if (typeof job.permissions === 'string')
      say(`job ${name} has ${job.permissions}: name each permission that it needs`);
    // A called workflow has the limits of its own jobs.
    if (!job.uses && !job['timeout-minutes']) say(`job ${name} has no timeout-minutes`);
    if (job.secrets === 'inherit') say(`job ${name} passes on all secrets: name those that are needed`);
  }
  const { passed, ...others } = jobs;
  if (passed) {
    const forgotten = Object.keys(others).filter((name) => ![passed.needs].flat().includes(name));
    if (forgotten.length > 0) say(`job passed does not need ${forgotten.join(', ')}`);
  }
}

function checkPins(text: string, isExample: boolean, say: Say): void {
  for (const [, action = ''] of text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)) {
    if (action.startsWith('./') || (isExample && OURS.test(action))) continue;
    if (!/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action)) {
      say(`${action} is not pinned as owner/name@<commit> # vX.Y.Z`);
    }
  }
}

/** What somebody outside has written becomes no part of a script, and runs with no right of this repository. */
function checkInjection({ on, jobs }: Workflow, text: string, say: Say): void {
  const triggers = triggersOf(on);
  for (const trigger of ['pull_request_target', 'workflow_run'])
    if (triggers.includes(trigger)) say(`${trigger} gives code of others the rights of this repository`);
  for (const [name, { steps = [] }] of Object.entries(jobs)) {
    if (steps.some(({ run = '' }) => run.includes('${{')))
      say(`job ${name} has an expression in a script: give it by env`);
  }
  if (/ACTIONS_ALLOW_UNSECURE_COMMANDS/.test(text)) say('commands that any output could give are allowed');
}

/** `on` may be a word, a list or a map. */
function triggersOf(on: Workflow['on']): string[] {
  if (typeof on === 'string') return [on];
  return Array.isArray(on) ? on : Object.keys(on);
}

function checkCheckouts(text: string, say: Say): void {
  const checkouts = text.match(/uses: actions\/checkout@/g)?.length ?? 0;
  if (checkouts !== (text.match(/persist-credentials: false/g)?.length ?? 0)) {
    say('a checkout keeps its credentials');
  }
}

/** What a release runs takes nothing from a cache, and no package runs a script; what judges a pull request judges the queue. */
function checkInstalls({ on, jobs }: Workflow, say: Say): void {
  const triggers = triggersOf(on);
  if (triggers.includes('pull_request') && !triggers.includes('merge_group'))
    say('runs for pull requests, and not for the merge queue');
  for (const [name, job] of Object.entries(jobs)) {
    if (/self-hosted/.test(JSON.stringify(job['runs-on'] ?? '')))
      say(`job ${name} runs on a runner that stays`);
  }
  for (const { uses = '', run = '', with: inputs = {} } of Object.values(jobs).flatMap(
    ({ steps = [] }) => steps,
  )) {
    if (/\bnpm (?:ci|install)\b(?! --ignore-scripts)/.test(run)) say('npm installs without --ignore-scripts');
    const [action = ''] = uses.split('@');
    const off = CACHED_UNLESS[action];
    if (action.startsWith('actions/cache') || inputs.cache || (off && inputs[off] !== false))
      say(`${action} has a cache`);
  }
}

/** A job that may write says to whom it speaks, from its first step on, and runs no package that it has downloaded. */
function checkWriters({ jobs }: Workflow, say: Say): void {
  for (const [name, { permissions, steps }] of Object.entries(jobs)) {
    // A called workflow is checked by itself.
    if (!steps || !Object.values(permissions ?? {}).includes('write')) continue;
    if (!HARDEN.test(steps[0]?.uses ?? ''))
      say(`job ${name} may write: its first step has to be harden-runner`);
    if (steps.some(({ run = '' }) => /\bnpm (?:ci|install|exec)\b|\bnpx\b|\bpip install\b/.test(run)))
      say(`job ${name} may write, and runs packages that it downloads: leave that to a job that may not`);
  }
}

/** What speaks to a cluster has its secrets from an environment, and names the cluster that it means. */
function checkClusters({ concurrency, jobs }: Workflow, say: Say): void {
  for (const [name, job] of Object.entries(jobs)) {
    const ours = (job.steps ?? []).filter(({ uses }) => uses?.startsWith('org/consul-deploy@'));
    const inputs = ours.map((step) => step.with ?? {}).filter(({ mode }) => mode !== 'render');
    if (inputs.length === 0) continue;
    const { group, 'cancel-in-progress': cancels } = job.concurrency ?? concurrency ?? {};
    const reads = inputs.every(({ mode }) => mode === 'plan');
    if (inputs.some((one) => !one['expect-cluster']))
      say(`job ${name} does not say which cluster it expects`);
    if (JSON.stringify(job.permissions) !== '{}') say(`job ${name} needs no permissions`);
    // A cluster that is made in the job and ends with it: there is nobody to ask, and nothing to wait for.
    if (job.steps?.some(({ uses }) => uses?.startsWith('helm/kind-action@'))) {
      if (/\bsecrets\b/.test(JSON.stringify(job)))
        say(`job ${name} makes its own cluster and needs no secret`);
      continue;
    }
    if (!job.environment) say(`job ${name} has no environment`);
    if (!group) say(`job ${name} has no concurrency group`);
    if (cancels !== false && !reads)
      say(`job ${name} may be cancelled by the next: cancel-in-progress has to be false`);
  }
}

function main(): void {
  for (const folder of ['.github/workflows', 'examples']) {
    const url = new URL(`../../${folder}/`, import.meta.url);
    // Examples for other systems are in a folder of their own.
    const files = readdirSync(url).filter((name) => name.endsWith('.yml'));
    for (const file of files.sort()) {
      for (const mistake of mistakesIn(readFileSync(new URL(file, url), 'utf8'), folder === 'examples')) {
        process.stderr.write(`${folder}/${file}: ${mistake}\n`);
        process.exitCode = 1;
      }
    }
  }
}

if (import.meta.main) main();
