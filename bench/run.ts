// npm run bench [-- NAME...]: measures the built action on a real cluster (KUBECONFIG, else the test bed) and writes
// the table to docs/benchmarks/README.md when all of them ran. Ratios of one run travel; absolute times do not.
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { changes } from './changes.ts';
import { withCluster } from './cluster.ts';
import { encryption } from './encryption.ts';
import { faults } from './faults.ts';
import { footprint } from './footprint.ts';
import { forming, formingAgain } from './forming.ts';
import { heals } from './heal.ts';
import { overhead } from './overhead.ts';
import { plan } from './plan.ts';
import { probes } from './probes.ts';
import { redeploy } from './redeploy.ts';
import type { Row } from './row.ts';
import { sideBySide } from './side-by-side.ts';
import { snapshot } from './snapshot.ts';

const BENCHMARKS: Record<string, () => Promise<Row[]>> = {
  footprint,
  forming,
  'forming-again': formingAgain,
  overhead,
  'side-by-side': sideBySide,
  redeploy,
  plan,
  probes,
  faults,
  heal: heals,
  changes,
  encryption,
  snapshot,
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0)
  throw new Error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`);

const rows: Row[] = [];
const version = await withCluster(async () => {
  for (const name of chosen.length > 0 ? chosen : Object.keys(BENCHMARKS)) {
    console.log(`\n${name}`);
    const measured = await BENCHMARKS[name]?.();
    for (const row of measured ?? [])
      console.log(`  ${row.met ? '✓' : '✗'} ${row.name}: ${row.measured} (goal: ${row.goal})`);
    rows.push(...(measured ?? []));
  }
});

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
const table = [
  '| | what | measured | goal |',
  '|---|---|---|---|',
  ...rows.map(({ name, measured, goal, met }) => `| ${met ? '✓' : '✗'} | ${name} | ${measured} | ${goal} |`),
].join('\n');
console.log(`\n${table}`);
if (chosen.length === 0) {
  writeFileSync(
    'docs/benchmarks/README.md',
    `# Benchmarks

The last full run of \`npm run bench\`, ${new Date().toISOString().slice(0, 10)}, on ${machine}; Kubernetes ${version}
with three nodes on that one machine (\`testbed/up\`, DNS with \`cache 30\`), 3 servers and 10 clients, images present.
Times are medians with minimum and maximum. Absolute times belong to that machine; ratios travel.

${table}
`,
  );
}
process.exitCode = rows.every(({ met }) => met) ? 0 : 1;
