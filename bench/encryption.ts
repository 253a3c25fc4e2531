import { deploy } from '../test/e2e/run/action.ts';
import { formed, remove } from './forming.ts';
import type { Row } from './row.ts';
import { Sample } from './sample.ts';

const PAIRS = Number(process.env.BENCH_ROUNDS ?? 5);
const MOST = 1.05;

/** A new cluster of 3 + 10, encrypted and in plaintext, one after the other and in turns. The rest is in `changes`. */
export async function encryption(): Promise<Row[]> {
  const ratios: number[] = [];
  const seconds: Record<string, number[]> = { true: [], false: [] };
  for (let pair = 0; pair < PAIRS; pair++) {
    const order = pair % 2 === 0 ? ['true', 'false'] : ['false', 'true'];
    for (const encrypted of order) seconds[encrypted]?.push(await form(pair, encrypted));
    ratios.push((seconds.true?.at(-1) ?? 0) / (seconds.false?.at(-1) ?? 1));
    console.log(`  ${pair + 1}/${PAIRS}: encrypted ÷ plaintext ${ratios.at(-1)?.toFixed(2)}`);
  }
  const ratio = new Sample(ratios);
  const told = (which: string) => new Sample(seconds[which] ?? []).seconds();
  return [
    {
      name: 'Forming encrypted ÷ in plaintext, 3 + 10 agents',
      measured: `${ratio.ratio()}; ${told('true')} and ${told('false')}`,
      goal: `≤ ${MOST} in the median`,
      met: ratio.median <= MOST,
    },
  ];
}

async function form(pair: number, encrypted: string): Promise<number> {
  const namespace = `bench-encryption-${pair}-${encrypted}`;
  const inputs = {
    namespace,
    'stable-for': '0s',
    timeout: '90s',
    'gossip-encryption': encrypted,
    tls: encrypted,
  };
  const outcome = await deploy(inputs);
  const ms = formed(outcome);
  await remove(namespace, true);
  if (ms === undefined) throw new Error(outcome.log);
  return ms;
}
