/**
 * House rules for workflows and examples that actionlint does not know: no permission by default, a time limit on
 * every job, every action pinned by commit with its version in a comment, no cache, no script of a package that is
 * installed, no check that a merge queue goes without, no job that "CI passed" forgets, and no job that changes a
 * cluster without an environment and a group that lets it finish, but for one that makes the cluster itself.
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
  steps?: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions?: unknown;
  concurrency?: Concurrency;
  jobs: Record<string, Job>;
}

const mistakes: string[] = [];
/** This action itself, in the examples: its commit is that of the release, which is not known beforehand. */
const OURS = /^org\/consul-deploy@v\d+\.\d+\.\d+ # better: the commit of v\d+\.\d+\.\d+, see README$/;

/** Actions that have a cache by default, and the input that turns it off. */
const CACHED_UNLESS: Record<string, string> = {
  'actions/setup-node': 'package-manager-cache',
  'actions/setup-go': 'cache',
};

for (const folder of ['../workflows/', '../../examples/']) {
  const url = new URL(folder, import.meta.url);
  // Examples for other systems are in a folder of their own.
  for (const file of readdirSync(url)
    .filter((name) => name.endsWith('.yml'))
    .sort()) {
    const text = readFileSync(new URL(file, url), 'utf8');
    const isExample = folder.includes('examples');
    const say = (mistake: string) => mistakes.push(`${isExample ? 'examples/' : ''}${file}: ${mistake}`);
    const workflow = parse(text) as Workflow;
    checkJobs(workflow, say);
    checkPins(text, isExample, say);
    if (isExample) checkClusters(workflow, say);
    else {
      checkCheckouts(text, say);
      checkInstalls(workflow, say);
    }
  }
}

function checkJobs({ permissions, jobs }: Workflow, say: (mistake: string) => void): void {
  if (JSON.stringify(permissions) !== '{}') say('top-level permissions have to be {}');
  for (const [name, job] of Object.entries(jobs)) {
    if (job.permissions === undefined) say(`job ${name} does not say its permissions`);
    // A called workflow has the limits of its own jobs.
    if (!job.uses && !job['timeout-minutes']) say(`job ${name} has no timeout-minutes`);
  }
  const { passed, ...others } = jobs;
  if (passed) {
    const forgotten = Object.keys(others).filter((name) => ![passed.needs].flat().includes(name));
    if (forgotten.length > 0) say(`job passed does not need ${forgotten.join(', ')}`);
  }
}

function checkPins(text: string, isExample: boolean, say: (mistake: string) => void): void {
  for (const [, action = ''] of text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)) {
    if (action.startsWith('./') || (isExample && OURS.test(action))) continue;
    if (!/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action)) {
      say(`${action} is not pinned as owner/name@<commit> # vX.Y.Z`);
    }
  }
}

function checkCheckouts(text: string, say: (mistake: string) => void): void {
  const checkouts = text.match(/uses: actions\/checkout@/g)?.length ?? 0;
  if (checkouts !== (text.match(/persist-credentials: false/g)?.length ?? 0)) {
    say('a checkout keeps its credentials');
  }
}

/** What a release runs takes nothing from a cache, and no package runs a script; what judges a pull request judges the queue. */
function checkInstalls({ on, jobs }: Workflow, say: (mistake: string) => void): void {
  if ('pull_request' in on && !('merge_group' in on))
    say('runs for pull requests, and not for the merge queue');
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

/** What speaks to a cluster has its secrets from an environment, and names the cluster that it means. */
function checkClusters({ concurrency, jobs }: Workflow, say: (mistake: string) => void): void {
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

for (const mistake of mistakes) process.stderr.write(`${mistake}\n`);
process.exitCode = mistakes.length > 0 ? 1 : 0;
