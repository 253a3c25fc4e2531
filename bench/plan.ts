import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubectl } from '../test/e2e/kubernetes/cluster.ts';
import { deploy } from '../test/e2e/run/action.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

const PAIRS = 5;

/** Plans of a cluster that is as it should be, and what people run instead on the very objects. */
export async function plan(): Promise<Row[]> {
  const namespace = 'bench-plan';
  const first = await deploy({ namespace, 'stable-for': '0s' });
  if (first.code !== 0) throw new Error(first.log);
  const { read } = await deploy({ mode: 'render', namespace });
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-bench-'));
  const file = join(folder, 'manifests.yaml');
  writeFileSync(file, read('consul-manifests.yaml'));
  const plans: number[] = [];
  const diffs: number[] = [];
  for (let pair = 1; pair <= PAIRS; pair++) {
    const { report, log } = await deploy({ mode: 'plan', namespace });
    if (report?.result !== 'success' || report.changed) throw new Error(log);
    const diffMs = byKubectl(file);
    plans.push(report.durationMs);
    diffs.push(diffMs);
    console.log(`  ${pair}/${PAIRS} plan ${report.durationMs} ms, kubectl diff ${diffMs.toFixed(0)} ms`);
  }
  rmSync(folder, { recursive: true });
  await kubectl('delete', 'namespace', namespace, '--wait=false');
  const sample = new Sample(plans);
  return [
    {
      name: 'Plan of an unchanged cluster, with all that a deploy checks before its first write',
      measured: `${sample.seconds()}; \`kubectl diff --server-side\` of the same objects ${new Sample(diffs).seconds()}`,
      goal: '≤ 2 s',
      met: sample.max <= 2_000,
    },
  ];
}

/** How long it took, in ms. */
function byKubectl(file: string): number {
  const args = ['diff', '--server-side', '--field-manager=consul-deploy', '-f', file];
  const startMs = performance.now();
  const { status, stdout, stderr } = spawnSync(process.env.KUBECTL ?? 'kubectl', args, { encoding: 'utf8' });
  // 1 would be a difference.
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stdout}${stderr}`);
  return performance.now() - startMs;
}
