import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubectl } from '../test/e2e/kubernetes/cluster.ts';
import { deploy } from '../test/e2e/run/action.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

const PAIRS = 5;

/** What people do without the action, on the very objects that it renders: apply, then wait for each workload. */
function byHand(namespace: string, manifests: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-bench-'));
  const file = join(folder, 'manifests.yaml');
  writeFileSync(file, manifests);
  const startMs = performance.now();
  for (const args of [
    ['apply', '--server-side', '-f', file],
    ['-n', namespace, 'rollout', 'status', 'statefulset/consul-server', '--timeout=90s'],
    ['-n', namespace, 'rollout', 'status', 'statefulset/consul-client', '--timeout=90s'],
  ]) {
    const { status, stderr } = spawnSync(process.env.KUBECTL ?? 'kubectl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  }
  rmSync(folder, { recursive: true });
  return performance.now() - startMs;
}

async function byAction(namespace: string): Promise<number> {
  const startMs = performance.now();
  const outcome = await deploy({ namespace, 'stable-for': '0s', timeout: '90s' });
  if (outcome.code !== 0) throw new Error(outcome.log);
  return performance.now() - startMs;
}

export async function sideBySide(): Promise<Row[]> {
  const ratios: number[] = [];
  for (let pair = 1; pair <= PAIRS; pair++) {
    const [ours, theirs] = [`bench-action-${pair}`, `bench-kubectl-${pair}`];
    const { read } = await deploy({ mode: 'render', namespace: theirs });
    const measured = { ours: 0, theirs: 0 };
    const actionRun = async () => {
      measured.ours = await byAction(ours);
      await kubectl('delete', 'namespace', ours, '--wait=false');
    };
    const kubectlRun = async () => {
      measured.theirs = byHand(theirs, read('consul-manifests.yaml'));
      await kubectl('delete', 'namespace', theirs, '--wait=false');
    };
    // In turn, so that neither is always the one to go first.
    for (const run of pair % 2 === 0 ? [actionRun, kubectlRun] : [kubectlRun, actionRun]) await run();
    ratios.push(measured.ours / measured.theirs);
    console.log(
      `  ${pair}/${PAIRS} action ${(measured.ours / 1000).toFixed(1)} s, kubectl ${(measured.theirs / 1000).toFixed(1)} s`,
    );
  }
  const sample = new Sample(ratios);
  return [
    {
      name: 'Whole process with all the proof ÷ `kubectl apply --server-side` and `kubectl rollout status` of the same objects',
      measured: sample.ratio(),
      goal: 'median ≤ 1',
      met: sample.median <= 1,
    },
  ];
}
