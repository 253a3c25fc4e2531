import { count } from '../count.ts';
import { formatDuration } from './duration.ts';
import { capBytes, code, fence, html, markdown, oneLine } from './escape.ts';
import type { ObjectOutcome } from './result/change.ts';
import type { Check, Result } from './result.ts';
import { differenceSections } from './section/difference.ts';
import { driftSections } from './section/drift.ts';
import { ghostSections } from './section/ghost.ts';
import { planSections } from './section/plan.ts';
import { isAboutPlan } from './section/plan-line.ts';
import { fixed, joinWithin, type Section } from './section/section.ts';
import { snapshotSections } from './section/snapshot.ts';
import { timeline } from './section/timeline.ts';
import { byUrgency, CHECK_ORDER, OBJECT_ORDER, tally, touchesCluster, verdict } from './verdict.ts';

/**
 * GitHub drops the whole summary above 1 MiB, and silently close to it.
 * https://github.com/actions/runner/issues/4337
 */
const MAX_BYTES = 900_000;

const VERDICT_SYMBOL = { success: '✅', failure: '❌', cancelled: '⏹️' } as const;
const CHECK_SYMBOL = { passed: '✅', failed: '❌', pending: '⏳', warning: '⚠️', skipped: '➖' } as const;

/** The step summary as GitHub Markdown: at most `maxBytes` bytes of UTF-8, every foreign text escaped. */
export function summary(result: Result, maxBytes = MAX_BYTES): string {
  const plan = planSections(result);
  const sections = [
    opening(result),
    ...(isAboutPlan(result) ? plan : []),
    ...driftSections(result),
    ...ghostSections(result),
    ...snapshotSections(result),
    ...differenceSections(result),
    evidence(result),
    checks(result),
    warnings(result),
    fixed(closing(result)),
    ...(isAboutPlan(result) ? [] : plan),
    objects(result),
  ];
  return capBytes(joinWithin(sections, maxBytes), maxBytes);
}

function opening(result: Result): Section {
  const lines = [`## ${VERDICT_SYMBOL[result.result]} ${markdown(verdict(result).headline)}`, ''];
  if (result.result !== 'success') lines.push(...cause(result), '');
  // A file needs no cluster to be inspected.
  if (result.mode !== 'inspect' || result.cluster) lines.push(facts(result), '');
  lines.push('');
  return fixed(lines.join('\n'));
}

/** What failed, the likely cause and the cure, in a red box. */
function cause(result: Result): string[] {
  const { headline, check } = verdict(result);
  const { failure } = result;
  const lines: string[] = [];
  if (check) {
    const what = `${CHECK_SYMBOL[check.status]} **${markdown(check.title)}**`;
    lines.push(`${what}: expected ${markdown(check.expected)}, observed ${markdown(check.observed)}`);
  }
  if (failure && !headline.includes(oneLine(failure.what, 2000)))
    lines.push(`**Cause**: ${markdown(failure.what, 2000)}`);
  if (failure?.where) lines.push(`**Where**: ${code(failure.where, 1000)}`);
  if (failure?.hint) lines.push(`**What to do**: ${markdown(failure.hint, 2000)}`);
  if (failure?.help) lines.push(`**Help**: [${failure.reason}](${failure.help})`);
  if (lines.length === 0) return [];
  const box = result.result === 'cancelled' ? '[!WARNING]' : '[!CAUTION]';
  return [`> ${box}`, ...lines.map((line, index) => `> ${line}${index < lines.length - 1 ? '<br>' : ''}`)];
}

function facts(result: Result): string {
  const { cluster } = result;
  const parts = [`Cluster ${code(result.name)} in namespace ${code(result.namespace)}`];
  if (cluster)
    parts.push(`Kubernetes ${cluster.version ? `${code(cluster.version)} ` : ''}at ${code(cluster.server)}`);
  if (result.consulVersion) parts.push(`Consul ${code(result.consulVersion)}`);
  if (result.leader) parts.push(`leader ${code(result.leader)}`);
  if (result.serverAddresses)
    parts.push(
      `servers at the addresses of their ${result.serverAddresses === 'service' ? 'Services' : 'pods'}`,
    );
  return parts.join(' · ');
}

function evidence(result: Result): Section {
  const rows = (result.failure?.details ?? []).map((line) => html(oneLine(line, 4000)));
  if (rows.length === 0) return fixed('');
  return {
    head: `<details><summary>Evidence: ${count(rows.length, 'line')}</summary>\n\n<pre>\n`,
    rows,
    tail: '</pre>\n\n</details>\n\n',
    noun: 'lines of evidence are',
    rank: 2,
  };
}

function checks(result: Result): Section {
  if (result.checks.length === 0) return fixed('');
  return {
    head: `### Checks: ${tally(
      result.checks.map(({ status }) => status),
      CHECK_ORDER,
    )}\n\n| | Check | Expected | Observed | Time |\n|:-:|:--|:--|:--|--:|\n`,
    rows: byUrgency(result.checks).map(checkRow),
    tail: '\n',
    noun: 'checks are',
    rank: 0,
  };
}

function checkRow(check: Check): string {
  // Kept in one line: the widest column takes the room that there is.
  const time = check.status === 'skipped' ? '' : formatDuration(check.durationMs).replaceAll(' ', '&nbsp;');
  const cells = [check.title, check.expected, check.observed].map((text) => markdown(text));
  return `| ${[CHECK_SYMBOL[check.status], ...cells, time].join(' | ')} |`;
}

function warnings(result: Result): Section {
  if (result.warnings.length === 0) return fixed('');
  const rows = result.warnings.map((text) => `- ⚠️ ${markdown(text, 1000)}`);
  return { head: '### Warnings\n\n', rows, tail: '\n', noun: 'warnings are', rank: 1 };
}

function closing(result: Result): string {
  const blocks: string[] = [];
  if (result.uiCommand) blocks.push(`### Open the UI\n\n${fence(oneLine(result.uiCommand, 2000), 'sh')}`);
  if (result.manifestsPath) blocks.push(`**Manifests** are in ${code(result.manifestsPath, 1000)}.`);
  if (result.image) blocks.push(`**Image**: ${code(result.image)}`);
  if (result.manifestDigest) blocks.push(`**Manifest digest**: ${code(result.manifestDigest)}`);
  if (touchesCluster(result)) blocks.push(`**The cluster is left as**: ${markdown(result.left, 1000)}`);
  const chart = timeline(result);
  if (chart) blocks.push(`### Timeline: ${formatDuration(result.durationMs)}\n\n${chart}`);
  return blocks.map((block) => `${block}\n\n`).join('');
}

function objects(result: Result): Section {
  if (result.objects.length === 0) return fixed('');
  const sorted = OBJECT_ORDER.flatMap((action) =>
    result.objects.filter((object) => object.action === action),
  );
  const title =
    result.mode === 'render'
      ? count(result.objects.length, 'object')
      : tally(
          result.objects.map(({ action }) => action),
          OBJECT_ORDER,
        );
  const head = `<details><summary>Objects: ${title}</summary>\n\n| Object | Namespace | |\n|:--|:--|:--|\n`;
  return { head, rows: sorted.map(objectRow), tail: '\n</details>\n', noun: 'objects are', rank: 3 };
}

function objectRow({ kind, name, namespace, action }: ObjectOutcome): string {
  return `| ${[code(`${kind}/${name}`), namespace ? code(namespace) : '', action].join(' | ')} |`;
}
