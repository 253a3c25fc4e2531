import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity } from 'age-encryption';
import { consul } from '../test/e2e/consul/consul.ts';
import { pods } from '../test/e2e/kubernetes/cluster.ts';
import { deploy, type Outcome, start } from '../test/e2e/run/action.ts';
import { remove } from './forming.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const KEYS = Number(process.env.BENCH_KEYS ?? 200_000);
const VALUE_BYTES = 500;
/** The most that one transaction takes. */
const AT_ONCE = 64;
const [MOST_SAVE, MOST_RESTORE, MOST_MIB] = [2, 1.5, 200];

/** A cluster of one server with 100 MB of keys: the action beside Consul's own command, in turns. */
export async function snapshot(): Promise<Row[]> {
  const namespace = 'bench-snapshot';
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-bench-'));
  const inputs = {
    namespace,
    servers: '1',
    'client-replicas': '1',
    'stable-for': '0s',
    timeout: '10m',
    'server-resources': '{"requests":{"cpu":"100m","memory":"256Mi"},"limits":{"memory":"2Gi"}}',
  };
  try {
    green(await deploy(inputs));
    const [pod] = await pods(namespace, 'server');
    const ip = pod?.status.podIP ?? '';
    await fill(ip);
    const key = { 'snapshot-key': await generateIdentity() };
    const saved: number[] = [];
    const restored: number[] = [];
    const memory = { snapshot: [] as number[], restore: [] as number[] };
    for (let round = 1; round <= ROUNDS; round++) {
      const theirs = join(folder, 'theirs.snap');
      const saveMs = byConsul('save', ip, theirs);
      const ours = green(await measured({ namespace, mode: 'snapshot', timeout: '10m', ...key }));
      if (ours.report?.snapshot?.counts.keys !== KEYS) throw new Error(`not all keys:\n${ours.log}`);
      saved.push(phaseMs(ours, 'snapshot') / saveMs);
      memory.snapshot.push(ours.peakMib);
      const restoreMs = byConsul('restore', ip, theirs);
      const restore = { ...inputs, ...key, mode: 'restore', restore: 'theirs.snap', confirm: 'consul' };
      const back = green(await measured(restore, theirs));
      restored.push(phaseMs(back, 'restore') / restoreMs);
      memory.restore.push(back.peakMib);
      console.log(
        `  ${round}/${ROUNDS}: snapshot ÷ save ${saved.at(-1)?.toFixed(2)} (save ${Math.round(saveMs)} ms), restore ÷ restore ${restored.at(-1)?.toFixed(2)} (${Math.round(restoreMs)} ms), whole run ${back.report?.durationMs} ms, ${Math.round(ours.peakMib)} and ${Math.round(back.peakMib)} MiB`,
      );
    }
    const [saves, restores] = [new Sample(saved), new Sample(restored)];
    return [
      {
        name: `Snapshot of ${KEYS} keys, verified and encrypted ÷ \`consul snapshot save\``,
        measured: saves.ratio(),
        goal: `≤ ${MOST_SAVE} in the median`,
        met: saves.median <= MOST_SAVE,
      },
      {
        name: 'Restore of it, without the proofs ÷ `consul snapshot restore`',
        measured: restores.ratio(),
        goal: `≤ ${MOST_RESTORE} in the median`,
        met: restores.median <= MOST_RESTORE,
      },
      ...(['snapshot', 'restore'] as const).map((mode) => {
        const { max } = new Sample(memory[mode]);
        return {
          name: `The most memory of a run with mode ${mode}`,
          measured: `${Math.round(max)} MiB`,
          goal: `≤ ${MOST_MIB} MiB`,
          met: max <= MOST_MIB,
        };
      }),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await remove(namespace, true);
  }
}

async function fill(ip: string): Promise<void> {
  for (let from = 0; from < KEYS; from += AT_ONCE) {
    const operations = Array.from({ length: Math.min(AT_ONCE, KEYS - from) }, (_, index) => {
      const value = Buffer.alloc(VALUE_BYTES, `${from + index} `).toString('base64');
      return { KV: { Verb: 'set', Key: `bench/${from + index}`, Value: value } };
    });
    await consul(ip, '/v1/txn', { method: 'PUT', body: JSON.stringify(operations) });
  }
}

/** In ms. */
function byConsul(command: 'save' | 'restore', ip: string, file: string): number {
  const program = spawnSync('testbed/build', ['consul'], { encoding: 'utf8' }).stdout.trim();
  const startMs = performance.now();
  const args = ['snapshot', command, `-http-addr=${ip}:8500`, file];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`consul ${args.join(' ')}: ${stdout}${stderr}`);
  return performance.now() - startMs;
}

/** With the most memory that its main process had at any moment, in MiB. */
async function measured(
  inputs: Record<string, string>,
  file?: string,
): Promise<Outcome & { peakMib: number }> {
  const run = start(inputs, {}, (workspace) => {
    if (file !== undefined) copyFileSync(file, join(workspace, 'theirs.snap'));
    return () => undefined;
  });
  let peakKib = 0;
  const look = setInterval(() => {
    peakKib = Math.max(peakKib, peakOf(run.process.pid));
  }, 100);
  const outcome = await run.outcome;
  clearInterval(look);
  return { ...outcome, peakMib: peakKib / 1024 };
}

/** Of the action itself, which the runner starts. 0 before and after it. */
function peakOf(runner: number | undefined): number {
  try {
    const [main] = readFileSync(`/proc/${runner}/task/${runner}/children`, 'utf8').split(' ');
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${main}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function phaseMs({ report }: Outcome, name: string): number {
  const phase = report?.phases.findLast((one) => one.name === name);
  return phase ? phase.endMs - phase.startMs : Number.NaN;
}

function green<One extends Outcome>(outcome: One): One {
  if (outcome.code !== 0) throw new Error(outcome.log);
  return outcome;
}
