import { type PlanOptions, planSet } from '../../../src/kubernetes/apply/plan.ts';
import { Discovery } from '../../../src/kubernetes/discovery.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { answerAggregated } from '../fake-discovery.ts';
import { type Call, connectTo, type Handler, json, signal, startServer, status } from '../fake-server.ts';

export const statefulSet = (replicas: number, name = 'consul-server'): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace: 'consul' },
  spec: { replicas },
});

export const configMap: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'consul', namespace: 'consul' },
};

/** As the API server stores it; `time` stands for what differs between two reads without a difference. */
export const stored = (object: KubernetesObject, time: string, status = {}): KubernetesObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    uid: 'u',
    resourceVersion: time,
    managedFields: [
      entry('consul-deploy', 'Apply', time),
      {
        ...entry('kube-controller-manager', 'Update', time),
        subresource: 'status',
        fieldsV1: { [`f:${time}`]: {} },
      },
    ],
  },
  status,
});

export const entry = (manager: string, operation: 'Apply' | 'Update', time: string) => ({
  manager,
  operation,
  apiVersion: 'apps/v1',
  fieldsType: 'FieldsV1' as const,
  fieldsV1: { 'f:spec': {} },
  time,
});

export const conflict = (field: string, manager = 'kubectl-edit', through = '') => ({
  reason: 'Conflict',
  message: 'Apply failed with 1 conflict',
  details: {
    causes: [
      {
        reason: 'FieldManagerConflict',
        field,
        message: `conflict with "${manager}"${through} using apps/v1`,
      },
    ],
  },
});

export async function plan(
  objects: KubernetesObject[],
  handler: Handler,
  options: Partial<PlanOptions> = {},
) {
  const server = await startServer((call, response, request) => {
    if (!answerAggregated(call, response)) return handler(call, response, request);
  });
  const transport = await connectTo(server.url);
  const discovery = await Discovery.load(transport, signal());
  const result = planSet({ transport, discovery }, objects, {
    forceConflicts: [],
    signal: signal(),
    ...options,
  });
  return { result, calls: server.calls };
}

/** A live object for the GET, and this for the dry run. */
export const answers =
  (live: KubernetesObject | undefined, dryRun: (call: Call) => KubernetesObject): Handler =>
  (call, response) => {
    if (call.method === 'PATCH') return json(response, 200, dryRun(call), { warning: '299 - "mind this"' });
    return live ? json(response, 200, live) : status(response, 404, { reason: 'NotFound' });
  };
