import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deploy } from '../test/e2e/action.ts';
import { kubectl } from '../test/e2e/cluster.ts';
import { type Fault, inputsOf, OF_CLIENTS, OF_SERVERS } from '../test/e2e/faults/catalogue.ts';
import { SMALL } from '../test/e2e/scenario.ts';
import type { Row } from './run.ts';
import { Sample } from './sample.ts';

/** What the others get; they would wait for it in full, and without end by default. */
const OTHERS_LIMIT = '60s';

interface Told {
  seconds: number;
  /** The last line they print. */
  last: string;
}

function timed(command: string, args: string[]): Told & { status: number | null } {
  const startMs = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  return { seconds: (performance.now() - startMs) / 1000, last: lines.at(-1)?.trim() ?? '', status };
}

function kubectlRollout(namespace: string, file: string, workload: string): Told {
  const command = process.env.KUBECTL ?? 'kubectl';
  const applied = timed(command, ['apply', '--server-side', '-f', file]);
  if (applied.status !== 0) return applied;
  return timed(command, ['-n', namespace, 'rollout', 'status', workload, `--timeout=${OTHERS_LIMIT}`]);
}

function helmInstall(helm: string, namespace: string, manifests: string, folder: string): Told {
  const chart = join(folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: consul\nversion: 1.0.0\n');
  // Verbatim: what looks like a template is text. Helm makes the namespace itself.
  const objects = manifests.split(/^---$/m).filter((text) => !/^kind: Namespace$/m.test(text));
  writeFileSync(join(chart, 'templates', 'all.yaml'), objects.join('---').replaceAll('{{', '{{ "{{" }}'));
  const flags = ['--create-namespace', '--wait', `--timeout=${OTHERS_LIMIT}`];
  return timed(helm, ['install', 'consul', chart, '-n', namespace, ...flags]);
}

async function others(fault: Fault, workload: string, helm: string): Promise<{ kubectl: Told; helm: Told }> {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-bench-'));
  const render = async (namespace: string) => {
    const outcome = await deploy({ ...SMALL, ...inputsOf(fault), mode: 'render', namespace });
    return outcome.read('consul-manifests.yaml');
  };
  const names = { kubectl: `bench-kubectl-${fault.scenario}`, helm: `bench-helm-${fault.scenario}` };
  try {
    const file = join(folder, 'manifests.yaml');
    writeFileSync(file, await render(names.kubectl));
    const byKubectl = kubectlRollout(names.kubectl, file, workload);
    await kubectl('delete', 'namespace', names.kubectl, '--wait=false');
    const byHelm = helmInstall(helm, names.helm, await render(names.helm), folder);
    await kubectl('delete', 'namespace', names.helm, '--wait=false', '--ignore-not-found');
    return { kubectl: byKubectl, helm: byHelm };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The faults that inputs alone can make: what the action says and when, next to what others say. */
export async function faults(): Promise<Row[]> {
  const built = spawnSync('testbed/build', ['helm'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const helm = built.stdout.trim();
  const late: number[] = [];
  let right = 0;
  const all = [
    ...OF_SERVERS.map((fault) => ({ fault, whose: 'servers', workload: 'statefulset/consul-server' })),
    ...OF_CLIENTS.map((fault) => ({ fault, whose: 'clients', workload: 'statefulset/consul-client' })),
  ];
  const table = [
    '  | fault | seen | grace | verdict after that | reason | kubectl rollout status | helm install --wait |',
    '  |---|---|---|---|---|---|---|',
  ];
  for (const { fault, whose, workload } of all) {
    const namespace = `bench-fault-${fault.scenario}`;
    const outcome = await deploy({ ...SMALL, ...inputsOf(fault), namespace });
    await kubectl('delete', 'namespace', namespace, '--wait=false', '--ignore-not-found');
    const { report } = outcome;
    const { detection, reason } = report?.failure ?? {};
    if (!report || !detection) throw new Error(outcome.log);
    if (reason === fault.reason) right += 1;
    const lateMs = report.durationMs - detection.dueMs;
    late.push(lateMs);
    const theirs = await others(fault, workload, helm);
    const s = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const said = ({ seconds, last }: Told) =>
      `${seconds.toFixed(0)} s: ${last.slice(0, 80).replaceAll('|', '\\|')}`;
    const grace = s(detection.dueMs - detection.seenMs);
    const cells = [`${whose}: ${fault.name}`, s(detection.seenMs), grace, s(lateMs), `\`${reason}\``];
    table.push(`  | ${[...cells, said(theirs.kubectl), said(theirs.helm)].join(' | ')} |`);
    console.log(table.at(-1));
  }
  console.log(`\n${table.join('\n')}`);
  const sample = new Sample(late);
  return [
    {
      name: `Faults: classified right, and the verdict after the documented grace (others are given ${OTHERS_LIMIT})`,
      measured: `${right} of ${all.length}, ${sample.seconds()}`,
      goal: 'all, median ≤ 5 s',
      met: right === all.length && sample.median <= 5_000,
    },
  ];
}
