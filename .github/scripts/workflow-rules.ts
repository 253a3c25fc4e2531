/**
 * House rules for workflows that actionlint does not know: no permission by default, a time limit on every job,
 * every action pinned by commit with its version in a comment, and no job that "CI passed" forgets.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

interface Job {
  uses?: string;
  needs?: string | string[];
  permissions?: unknown;
  'timeout-minutes'?: number;
}

const folder = new URL('../workflows/', import.meta.url);
const mistakes: string[] = [];

for (const file of readdirSync(folder).sort()) {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const workflow = parse(text) as { permissions?: unknown; jobs: Record<string, Job> };
  const say = (mistake: string) => mistakes.push(`${file}: ${mistake}`);

  if (JSON.stringify(workflow.permissions) !== '{}') say('top-level permissions have to be {}');
  for (const [name, job] of Object.entries(workflow.jobs)) {
    if (job.permissions === undefined) say(`job ${name} does not say its permissions`);
    // A called workflow has the limits of its own jobs.
    if (!job.uses && !job['timeout-minutes']) say(`job ${name} has no timeout-minutes`);
  }
  for (const [, action] of text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)) {
    if (!action?.startsWith('./') && !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action ?? '')) {
      say(`${action} is not pinned as owner/name@<commit> # vX.Y.Z`);
    }
  }
  const checkouts = text.match(/uses: actions\/checkout@/g)?.length ?? 0;
  if (checkouts !== (text.match(/persist-credentials: false/g)?.length ?? 0)) {
    say('a checkout keeps its credentials');
  }
  const { passed, ...others } = workflow.jobs;
  if (passed) {
    const forgotten = Object.keys(others).filter((name) => ![passed.needs].flat().includes(name));
    if (forgotten.length > 0) say(`job passed does not need ${forgotten.join(', ')}`);
  }
}

for (const mistake of mistakes) process.stderr.write(`${mistake}\n`);
process.exitCode = mistakes.length > 0 ? 1 : 0;
