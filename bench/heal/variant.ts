import { startOriginal } from '../../test/e2e/adoption/original.ts';
import { namespaceName } from '../../test/e2e/kubernetes/cluster.ts';
import { deploy } from '../../test/e2e/run/action.ts';

export const CLIENTS = 10;

/** One way to run the same cluster: 3 servers and 10 clients. */
export interface Variant {
  name: string;
  /** @returns its namespace, when all 13 agents are there */
  start(): Promise<string>;
}

const LIVENESS = '/spec/template/spec/containers/0/livenessProbe';

async function rendered(inputs: Record<string, string>): Promise<string> {
  const namespace = namespaceName('heal-bench');
  const shape = { 'client-replicas': String(CLIENTS), 'stable-for': '2s', timeout: '4m' };
  const { code, log } = await deploy({ namespace, ...shape, ...inputs });
  if (code !== 0) throw new Error(log);
  return namespace;
}

export const VARIANTS: Variant[] = [
  { name: 'as rendered', start: () => rendered({}) },
  {
    name: 'without its liveness probes',
    start: () =>
      rendered({
        patches: JSON.stringify(
          ['consul-server', 'consul-client'].map((name) => ({
            target: { kind: 'StatefulSet', name },
            operations: [{ op: 'remove', path: LIVENESS }],
          })),
        ),
      }),
  },
  {
    name: 'the original manifests',
    start: async () => {
      const namespace = namespaceName('heal-original');
      await startOriginal(namespace, CLIENTS);
      return namespace;
    },
  },
];
