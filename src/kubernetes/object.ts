/** A Kubernetes object as raw JSON. Nothing is ever dropped from it on its way to the API server. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  deletionTimestamp?: string;
  creationTimestamp?: string;
  /** Names of those who have to let go of it before it is gone. */
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  managedFields?: ManagedFields[];
}

export interface ManagedFields {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  fieldsType: 'FieldsV1';
  fieldsV1: Record<string, unknown>;
  subresource?: string;
  time?: string;
}

/** Owner of the fields in server-side apply. Stable for ever: under another name we would conflict with ourselves. */
export const FIELD_MANAGER = 'consul-deploy';

/** Owner of the annotation that makes a controller try again. The apply, under its own name, would take it away. */
export const NUDGE_MANAGER = 'consul-deploy-nudge';

/** `StatefulSet/consul-server`, the way people name objects to kubectl. */
export function objectName(object: { kind: string; metadata: { name: string } }): string {
  return `${object.kind}/${object.metadata.name}`;
}
