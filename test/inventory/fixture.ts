import type { Inventory, RunRecord } from '../../src/inventory/inventory.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

export function runRecord(change: Partial<RunRecord> = {}): RunRecord {
  return {
    at: '2026-01-01T00:00:00.000Z',
    mode: 'deploy',
    changed: true,
    verdictMs: 20_000,
    restarts: {},
    ...change,
  };
}

export function inventory(change: Partial<Inventory> = {}): Inventory {
  return {
    schemaVersion: 1,
    phase: 'deployed',
    run: 'org/repo/actions/runs/1/attempts/1 deploy',
    at: '2026-01-01T00:00:20.000Z',
    manifestDigest: 'sha256:0',
    entries: [],
    history: [],
    ...change,
  };
}

export function object(
  kind: string,
  name: string,
  metadata: object = {},
  rest: object = {},
): KubernetesObject {
  const apps = ['StatefulSet', 'DaemonSet'].includes(kind);
  return {
    apiVersion: apps ? 'apps/v1' : kind === 'PodDisruptionBudget' ? 'policy/v1' : 'v1',
    kind,
    metadata: { name, ...(kind !== 'Namespace' && { namespace: 'consul' }), ...metadata },
    ...rest,
  };
}
