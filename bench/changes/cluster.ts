import { deploy } from '../../test/e2e/run/action.ts';
import { lackOf } from '../heal/whole.ts';
import type { Deployed } from './change.ts';

/** Inputs for all deploys, as JSON: `{"server-addresses": "service"}`. */
const GIVEN = JSON.parse(process.env.BENCH_INPUTS ?? '{}') as Record<string, string>;

/** The whole process, with all its proof. */
export async function redeploy(
  { namespace, clients }: Pick<Deployed, 'namespace' | 'clients'>,
  inputs: Record<string, string>,
): Promise<void> {
  const { code, log } = await deploy({
    namespace,
    timeout: '8m',
    'stable-for': '0s',
    'server-storage': '1Gi',
    'client-replicas': String(clients),
    ...GIVEN,
    ...inputs,
  });
  if (code !== 0) throw new Error(log);
}

export async function deployed(id: string, clients: number): Promise<Deployed> {
  const namespace = `bench-${id}-${process.pid}`;
  await redeploy({ namespace, clients }, {});
  return { namespace, clients, round: 0, lack: () => lackOf(namespace, clients) };
}
