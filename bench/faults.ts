import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { type Fault, inputsOf, OF_CLIENTS, OF_SERVERS } from '../test/e2e/faults/catalogue.ts';
import { kubectl, namespaceName, removeNamespace } from '../test/e2e/kubernetes/cluster.ts';
import { deploy } from '../test/e2e/run/action.ts';
import { SMALL } from '../test/e2e/run/scenario.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

/** What the others get; they would wait for it in full, and without end by default. */
const OTHERS_LIMIT = '60s';
/** Faults at a time that the others are given; they only wait. */
const OTHERS_PARALLEL = 2;
const PAGE = 'docs/benchmarks/faults.md';

interface Told {
  seconds: number;
  /** The last line they print. */
  last: string;
  ok: boolean;
}

interface Case {
  fault: Fault;
  whose: 'servers' | 'clients';
}

const CASES: Case[] = [
  ...OF_SERVERS.map((fault) => ({ fault, whose: 'servers' as const })),
  ...OF_CLIENTS.map((fault) => ({ fault, whose: 'clients' as const })),
];

function timed(command: string, args: string[]): Promise<Told> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    execFile(command, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
      const seconds = (performance.now() - startMs) / 1000;
      resolve({ seconds, last: lines.at(-1)?.trim() ?? '', ok: !error });
    });
  });
}

async function byKubectl(
  namespace: string,
  manifests: string,
  { whose }: Case,
  folder: string,
): Promise<Told> {
  const file = join(folder, 'manifests.yaml');
  writeFileSync(file, manifests);
  const command = process.env.KUBECTL ?? 'kubectl';
  const applied = await timed(command, ['apply', '--server-side', '-f', file]);
  if (!applied.ok) return applied;
  const workload = `statefulset/consul-${whose.slice(0, -1)}`;
  const waiting = ['rollout', 'status', workload, `--timeout=${OTHERS_LIMIT}`];
  return timed(command, ['-n', namespace, ...waiting]);
}

function byHelm(namespace: string, manifests: string, folder: string, helm: string): Promise<Told> {
  const chart = join(folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: consul\nversion: 1.0.0\n');
  // Verbatim: what looks like a template is text. Helm makes the namespace itself.
  const objects = manifests.split(/^---$/m).filter((text) => !/^kind: Namespace$/m.test(text));
  writeFileSync(join(chart, 'templates', 'all.yaml'), objects.join('---').replaceAll('{{', '{{ "{{" }}'));
  const flags = ['--create-namespace', '--wait', `--timeout=${OTHERS_LIMIT}`];
  return timed(helm, ['install', 'consul', chart, '-n', namespace, ...flags]);
}

/** The same objects given to both of them, side by side. */
async function others(one: Case, helm: string): Promise<{ kubectl: Told; helm: Told }> {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-bench-'));
  const namespaces = [namespaceName('kubectl'), namespaceName('helm')] as const;
  try {
    const [forKubectl, forHelm] = await Promise.all(
      namespaces.map(async (namespace) => {
        const rendered = await deploy({ ...SMALL, ...inputsOf(one.fault), mode: 'render', namespace });
        return rendered.read('consul-manifests.yaml');
      }),
    );
    const [kubectl, helmed] = await Promise.all([
      byKubectl(namespaces[0], forKubectl ?? '', one, folder),
      byHelm(namespaces[1], forHelm ?? '', folder, helm),
    ]);
    console.log(`  ${one.fault.scenario}: kubectl ${said(kubectl)}; helm ${said(helmed)}`);
    return { kubectl, helm: helmed };
  } finally {
    await Promise.all(namespaces.map(removeNamespace));
    rmSync(folder, { recursive: true });
  }
}

function said({ seconds, last, ok }: Told): string {
  const words = last.length > 80 ? `${last.slice(0, 80)}…` : last;
  return `${ok ? '**green** after ' : ''}${seconds.toFixed(0)} s: ${words.replaceAll('|', '\\|')}`;
}

interface Ours {
  reason: string;
  seenMs: number;
  graceMs: number;
  /** Of the verdict and the report, after the grace was over. */
  lateMs: number;
  load: number;
}

async function ours({ fault }: Case): Promise<Ours> {
  const namespace = namespaceName(`fault-${fault.scenario}`);
  const outcome = await deploy({ ...SMALL, ...inputsOf(fault), namespace });
  await removeNamespace(namespace);
  const { report } = outcome;
  const { detection, reason } = report?.failure ?? {};
  if (!report || !reason) throw new Error(outcome.log);
  // Without one it was not told while it was waited for.
  const { seenMs, dueMs } = detection ?? { seenMs: 0, dueMs: 0 };
  return {
    reason,
    seenMs,
    graceMs: dueMs - seenMs,
    lateMs: report.durationMs - dueMs,
    load: loadavg()[0] ?? 0,
  };
}

const s = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** The faults that inputs alone can make: what the action says and when, next to what others say. */
export async function faults(): Promise<Row[]> {
  const helm = execFileSync('testbed/build', ['helm'], { encoding: 'utf8' }).trim();
  const found: (Case & Ours)[] = [];
  // One at a time: its figures are about time.
  for (const one of CASES) {
    const measured = await ours(one);
    found.push({ ...one, ...measured });
    console.log(
      `  ${one.fault.scenario}: ${measured.reason}, ${s(measured.lateMs)} after ${s(measured.graceMs)}`,
    );
  }
  const limit = pLimit(OTHERS_PARALLEL);
  const theirs = await Promise.all(CASES.map((one) => limit(() => others(one, helm))));

  const late = new Sample(found.map(({ lateMs }) => lateMs));
  const right = found.filter(({ reason, fault }) => reason === fault.reason).length;
  const measured = `${right} of ${found.length}; ${late.seconds()}`;
  await write(found, theirs, measured);
  return [
    {
      name: `[Faults](faults.md) classified right; verdict and report after the documented grace`,
      measured,
      goal: 'all; median ≤ 5 s',
      met: right === found.length && late.median <= 5_000,
    },
  ];
}

async function write(
  found: readonly (Case & Ours)[],
  theirs: readonly { kubectl: Told; helm: Told }[],
  measured: string,
): Promise<void> {
  const { serverVersion } = JSON.parse(await kubectl('version', '-o', 'json')) as {
    serverVersion: { gitVersion: string };
  };
  const load = new Sample(found.map((one) => one.load)).ratio();
  const rows = found.map((one, at) => {
    const { fault, whose, seenMs, graceMs, lateMs, reason } = one;
    const verdict = reason === fault.reason ? `\`${reason}\`` : `**\`${reason}\`**, not \`${fault.reason}\``;
    const { kubectl, helm } = theirs[at] ?? {};
    const cells = [`${whose}: ${fault.name}`, verdict, s(seenMs), s(graceMs), s(lateMs)];
    return `| ${[...cells, kubectl ? said(kubectl) : '', helm ? said(helm) : ''].join(' | ')} |`;
  });
  writeFileSync(
    PAGE,
    `# Faults, told by the action and by others

Written by \`npm run bench -- faults\` on ${new Date().toISOString().slice(0, 10)}: Kubernetes ${serverVersion.gitVersion}, three nodes on one
machine with ${availableParallelism()} processors; load average while the action ran: ${load}. Each fault is made by inputs alone
([catalogue.ts](../test/e2e/faults/catalogue.ts)), with 3 servers and 2 clients.

Classified right, and verdict and report after the grace: **${measured}**.

- *seen*: when the action first saw a sign of it, from its start, so the time the cluster takes to get into trouble is in it.
- *grace*: how long [that sign may last](troubleshooting.md#how-long-it-waits-before-it-says-so).
- *after that*: from the end of the grace to the end of the run: last questions, cleaning up and report are in it.
- The others got the same objects and ${OTHERS_LIMIT.replace('s', ' s')}; with their defaults \`kubectl\` would wait for ever, and Helm for 5 min. They ran
  side by side, ${OTHERS_PARALLEL} faults at a time. The time is that of \`rollout status\` of the workload in trouble, and of
  \`helm install --wait\`; what follows is the last line they print.

| Fault | The action says | seen | grace | after that | \`kubectl rollout status\` | \`helm install --wait\` |
|---|---|--:|--:|--:|---|---|
${rows.join('\n')}
`,
  );
}
