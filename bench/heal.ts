import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { put } from '../test/e2e/consul/registration.ts';
import { kubectl, pods, removeNamespace } from '../test/e2e/kubernetes/cluster.ts';
import { FAULTS, type Fault } from './heal/fault.ts';
import { VARIANTS, type Variant } from './heal/variant.ts';
import { isKept, KEY, lackOf } from './heal/whole.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

/** What is not whole by then counts as never; the slowest probe that heals anything acts within a minute. */
const NEVER_MS = 150_000;
const LOOK_MS = 500;
const PAGE = 'docs/benchmarks/heal.md';

export interface Healed {
  /** Undefined: not within the limit. */
  ms: number | undefined;
  /** What was missing at the end of the limit. */
  lack: string;
  /** The key that was written before. */
  kept: boolean;
  load: number;
}

async function uids(namespace: string): Promise<Map<string, string>> {
  return new Map((await pods(namespace)).map(({ metadata }) => [metadata.name, metadata.uid]));
}

/** Looks until nothing is missing. What was deleted has to be gone first: a pod that ends is still a member. */
async function heal(namespace: string, { make }: Fault): Promise<Healed> {
  const before = await uids(namespace);
  const deletes = async () => {
    const now = await pods(namespace);
    return now.some(({ metadata }) => metadata.deletionTimestamp && before.has(metadata.name));
  };
  await make(namespace);
  const startMs = performance.now();
  let lack = '';
  while (performance.now() - startMs < NEVER_MS) {
    lack = (await deletes()) ? 'a pod has not ended yet' : await lackOf(namespace);
    if (lack === '') {
      const ms = performance.now() - startMs;
      return { ms, lack, kept: await isKept(namespace).catch(() => false), load: loadavg()[0] ?? 0 };
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return { ms: undefined, lack, kept: false, load: loadavg()[0] ?? 0 };
}

/** All faults, one after the other on one cluster; on a new one after a fault that it did not come back from. */
export async function suffer(variant: Variant, faults: readonly Fault[] = FAULTS): Promise<Healed[]> {
  const found: Healed[] = [];
  let namespace: string | undefined;
  try {
    for (const fault of faults) {
      namespace ??= await begin(variant);
      const healed = await heal(namespace, fault);
      found.push(healed);
      console.log(`  ${variant.name}: ${fault.name}: ${said(healed)}${healed.lack && `: ${healed.lack}`}`);
      if (healed.ms !== undefined && healed.kept) continue;
      await removeNamespace(namespace);
      namespace = undefined;
    }
    return found;
  } finally {
    if (namespace) await removeNamespace(namespace);
  }
}

async function begin({ name, start }: Variant): Promise<string> {
  const namespace = await start();
  const [server] = await pods(namespace, 'server');
  await put(server?.status.podIP ?? '', `/v1/kv/${KEY}`, name).catch((error: unknown) => {
    // It answers with a bare word.
    if (!(error instanceof SyntaxError)) throw error;
  });
  return namespace;
}

function said({ ms, kept }: Healed): string {
  if (ms === undefined) return '**never**';
  return `${(ms / 1000).toFixed(1)} s${kept ? '' : ', **data lost**'}`;
}

/** From each fault to 13 of 13 and three voters; next to the same without our probes, and to what was there before. */
export async function heals(): Promise<Row[]> {
  const all: Healed[][] = [];
  for (const variant of VARIANTS) all.push(await suffer(variant));
  await write(all);
  const [ours = []] = all;
  const healed = ours.filter(({ ms, kept }) => ms !== undefined && kept);
  const slowest = Math.max(...healed.map(({ ms }) => ms ?? 0)) / 1000;
  return [
    {
      name: '[Faults healed](heal.md) with nobody’s help, data kept',
      measured: `${healed.length} of ${FAULTS.length}, the slowest after ${slowest.toFixed(1)} s`,
      goal: 'all',
      met: healed.length === FAULTS.length,
    },
  ];
}

export async function write(all: readonly Healed[][]): Promise<void> {
  const { serverVersion } = JSON.parse(await kubectl('version', '-o', 'json')) as {
    serverVersion: { gitVersion: string };
  };
  const load = new Sample(all.flat().map((one) => one.load)).ratio();
  const rows = FAULTS.map(({ name }, at) => {
    const cells = all.map((found) => (found[at] ? said(found[at]) : ''));
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  writeFileSync(
    PAGE,
    `# Healing

Written by \`npm run bench -- heal\` on ${new Date().toISOString().slice(0, 10)}: Kubernetes ${serverVersion.gitVersion}, three nodes on one machine with
${availableParallelism()} processors; load average when each was over: ${load}. 3 servers and 10 clients, one variant after the other, each fault
once, with nobody's help in between.

The time is from the fault until 13 of 13 pods are ready, every server has all 13 alive at their addresses, and exactly the three
servers are voters, as each says itself at its address. **never**: not within ${NEVER_MS / 1000} s; the next fault then meets a new cluster.
**data lost**: a key that was written before is gone.

| Fault | ${VARIANTS.map(({ name }) => name).join(' | ')} |
|---|${VARIANTS.map(() => '--:|').join('')}
${rows.join('\n')}

An agent with a new address is late wherever gossip still holds the old one for alive: then it keeps the name for 30 s more. The
servers as rendered keep their addresses. Those of the original manifests leave as they stop and come back with nothing. Most faults need no liveness probe; those that do never
heal without it. [healing.md](../design/healing.md) tells what heals what.
`,
  );
}
