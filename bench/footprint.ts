import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

const RUNS = 9;
const MB = 1_000_000;

/** Start-up: `mode: render` needs no cluster, so its time is that of the bundle. */
export async function footprint(): Promise<Row[]> {
  const workspace = mkdtempSync(join(tmpdir(), 'consul-deploy-bench-'));
  const env = { ...process.env, GITHUB_WORKSPACE: workspace, INPUT_MODE: 'render' };
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startMs = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ['dist/index.js'], { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    times.push(performance.now() - startMs);
  }
  const memory = peakMemory(workspace);
  rmSync(workspace, { recursive: true });
  const size = readdirSync('dist').reduce((sum, file) => sum + statSync(join('dist', file)).size, 0);
  const start = new Sample(times);
  return [
    {
      name: 'Start of the bundle (`mode: render`, whole process)',
      measured: `${start.median.toFixed(0)} ms (n = ${RUNS})`,
      goal: '≤ 300 ms',
      met: start.median <= 300,
    },
    {
      name: 'Peak memory of a deploy',
      measured: `${(memory / MB).toFixed(0)} MB`,
      goal: '≤ 150 MB',
      met: memory <= 150 * MB,
    },
    {
      name: 'Size of `dist/`',
      measured: `${(size / MB).toFixed(1)} MB`,
      goal: '≤ 6 MB',
      met: size <= 6 * MB,
    },
  ];
}

/** Of a whole deploy, as the operating system counts it for the process itself. */
function peakMemory(workspace: string): number {
  const namespace = 'bench-memory';
  const hook = join(workspace, 'peak.mjs');
  const file = join(workspace, 'peak');
  writeFileSync(
    hook,
    `import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS * 1024)));`,
  );
  const env = { ...process.env, GITHUB_WORKSPACE: workspace, INPUT_NAMESPACE: namespace };
  const run = spawnSync(process.execPath, ['--import', hook, 'dist/index.js'], { env, encoding: 'utf8' });
  spawnSync(process.env.KUBECTL ?? 'kubectl', ['delete', 'namespace', namespace, '--timeout=120s']);
  if (run.status !== 0) throw new Error(run.stdout);
  return Number(spawnSync('cat', [file], { encoding: 'utf8' }).stdout);
}
