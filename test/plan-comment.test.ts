import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import type { FieldChange } from '../src/report/result/change.ts';
import { summary } from '../src/report/summary.ts';
import { failure, planned } from './report/example.ts';

const TEXT = readFileSync(new URL('../examples/plan-on-pull-request.yml', import.meta.url), 'utf8');
const { jobs, concurrency } = parse(TEXT);
const [cut] = jobs.plan.steps.slice(-1);
const [comment] = jobs.comment.steps;

/** How many characters GitHub takes for a comment. */
const MOST = 65_536;
const RUN = 'https://github.com/org/repo/actions/runs/7';
const COMMIT = 'c'.repeat(40);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plan-comment-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function run(script: string, env: Record<string, string>): string {
  // As a runner starts it.
  const options = { cwd: folder, env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-e', '-c', script], options);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** What the job of the plan hands on, as a runner reads it; undefined where there is nothing. */
function handedOn(plan?: string): string | undefined {
  const output = join(folder, 'output');
  writeFileSync(output, '');
  if (plan !== undefined) writeFileSync(join(folder, 'plan.md'), plan);
  run(cut.run, { GITHUB_OUTPUT: output });
  return /^text<<(\w+)\n([\s\S]*)\n\1\n$/.exec(readFileSync(output, 'utf8'))?.[2];
}

/** Comments of a pull request: `api` of gh, with as much of jq as it has. */
const GH = `gh() {
  touch comments
  case "$2 $3" in
    '--paginate repos/org/repo/issues/7/comments')
      jq -s . comments | jq -r "$5" ;;
    '--method POST')
      echo "$*" | head -n 1 >>calls
      jq -n --arg body "\${6#body=}" --argjson id "$(($(wc -l <calls) + 100))" \\
        -c '{id: $id, user: {login: "github-actions[bot]"}, body: $body}' >>comments ;;
    '--method PATCH')
      echo "$*" | head -n 1 >>calls
      jq -c --arg body "\${6#body=}" --argjson id "\${4##*/}" 'if .id == $id then .body = $body else . end' comments >new
      mv new comments ;;
  esac
}
`;

function commented(
  text: string,
  { workflow = 'plan.yml', namespace = 'consul', commit = COMMIT } = {},
): void {
  const ref = `org/repo/.github/workflows/${workflow}@refs/pull/7/merge`;
  const MARK = comment.env.MARK.replace(expression('env.NAMESPACE'), namespace).replace(
    expression('github.workflow_ref'),
    ref,
  );
  expect(MARK).not.toContain('${{');
  run(GH + comment.run, { REPOSITORY: 'org/repo', NUMBER: '7', MARK, TEXT: text, COMMIT: commit, RUN });
}

const expression = (what: string) => `\${{ ${what} }}`;
const lines = (file: string) =>
  existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trimEnd().split('\n') : [];
const methods = () => lines('calls').map((call) => call.split(' ')[2]);
const comments = () => lines('comments').map((line) => JSON.parse(line).body as string);

describe('the comment of a plan', () => {
  test('is made once, and then takes the next plan', () => {
    commented('the first', { commit: 'a'.repeat(40) });
    commented('the second');
    expect(methods()).toEqual(['POST', 'PATCH']);
    const [only = '', ...others] = comments();
    expect(others).toEqual([]);
    expect(only).toContain('\nthe second\n');
    expect(only).not.toContain('the first');
    expect(only).toContain(`Plan of ${COMMIT}, by [this run](${RUN})`);
  });

  test('is another one for each workflow and each namespace', () => {
    const copies = [{}, { workflow: 'plan-production.yml' }, { namespace: 'consul-two' }];
    for (const text of ['old', 'new'])
      for (const [index, copy] of copies.entries()) commented(`${text} ${index}`, copy);
    expect(methods()).toEqual(['POST', 'POST', 'POST', 'PATCH', 'PATCH', 'PATCH']);
    expect(comments().map((body) => body.split('\n')[1])).toEqual(['new 0', 'new 1', 'new 2']);
  });

  test('is not taken for that of a person who quotes it', () => {
    commented('a plan');
    const [own = ''] = lines('comments');
    const quoted = { ...JSON.parse(own), id: 1, user: { login: 'somebody' } };
    writeFileSync(join(folder, 'comments'), `${JSON.stringify(quoted)}\n${own}\n`);
    commented('another');
    expect(comments().map((body) => body.split('\n')[1])).toEqual(['a plan', 'another']);
  });

  test('says that there is none, where an earlier one would stand as if it were current', () => {
    commented('a plan', { commit: 'a'.repeat(40) });
    commented('');
    expect(methods()).toEqual(['POST', 'PATCH']);
    expect(comments()[0]).toMatch(/^<!-- .* -->\n\*\*The plan could not be shown here\.\*\*/);
    expect(comments()[0]).toContain(`Plan of ${COMMIT}, by [this run](${RUN})`);
  });

  test('comes after every run but one of a fork, or one that was cancelled', () => {
    expect(jobs.comment.if).toBe(expression("!cancelled() && needs.plan.result != 'skipped'"));
    expect(comment.env).toMatchObject({
      TEXT: expression('needs.plan.outputs.comment'),
      COMMIT: expression('github.event.pull_request.head.sha'),
    });
    expect(concurrency.group).toBe(expression('github.workflow_ref'));
  });
});

/** What is left open in Markdown of this action, told in another way than the example does. */
function open(markdown: string): string[] {
  const outside = markdown.replace(/<pre>[\s\S]*?<\/pre>/g, '').replace(/^(`{3,})\w*\n[\s\S]*?^\1$/gm, '');
  return (
    outside.match(/^`{3,}|<pre>/gm) ??
    (count(outside, '<details') === count(outside, '</details>') ? [] : ['details'])
  );
}
const count = (text: string, what: string) => text.split(what).length - 1;

/** A plan with so many lines in one object, and others behind it. */
function plan(many: number): string {
  const fields = (name: string): FieldChange[] =>
    Array.from({ length: many }, (_, i) => ({
      path: `.data.${name}${i}`,
      before: `~~~ ${i}`,
      after: `\`\`\`\n€ü🎉 ${i}`,
    }));
  const changes = ['one', 'two'].map((name) => ({
    kind: 'ConfigMap',
    name,
    consequence: 'delete' as const,
    fields: fields(name),
    notes: [],
  }));
  return summary(planned({ plan: changes }));
}

describe('the text of a plan', () => {
  test('is handed on as it is', () => {
    const text = summary(planned());
    expect(handedOn(text)).toBe(text.trimEnd().concat(text.endsWith('\n\n') ? '\n' : ''));
  });

  test('is nothing where there is no plan', () => expect(handedOn()).toBeUndefined());

  test.each([700, 1500, 3000])('is cut where it is too long, and closed: %d fields twice', (many) => {
    const text = plan(many);
    const given = handedOn(text) ?? '';
    expect(open(text)).toEqual([]);
    expect(open(given)).toEqual([]);
    expect(given).not.toContain('\uFFFD');
    expect(given.length).toBeLessThan(MOST - 1000);
    expect(given.length).toBeGreaterThan(25_000);
    expect(given).toContain('\n**This was cut: a comment cannot have more.**');
    commented(given);
    expect(comments()[0]?.length).toBeLessThan(MOST);
  });

  test('is closed wherever the cut is', () => {
    const text = plan(60);
    // So far that each line of it is once the last one.
    const starts = [...text.matchAll(/\n/g)].map(({ index }) => Buffer.byteLength(text.slice(0, index)));
    for (const start of starts.filter((_, index) => index % 9 === 0 || index < 30)) {
      const given = handedOn(`${'x'.repeat(59_999 - start - 1)}\n${text}`) ?? '';
      expect(open(given)).toEqual([]);
      expect(given).toContain('This was cut');
    }
  });

  test('is closed in the evidence of a red one, whose lines are no fences', () => {
    const details = Array.from(
      { length: 3000 },
      (_, i) => `\`\`\` line ${i} of a log, which opens nothing here`,
    );
    const red = failure({ mode: 'plan' });
    if (!red.failure) throw new Error('it is not red');
    const text = summary({ ...red, failure: { ...red.failure, details } });
    expect(text).toContain('<pre>\n```');
    const given = handedOn(text) ?? '';
    expect(given).toContain('This was cut');
    expect(open(given)).toEqual([]);
  });
});
