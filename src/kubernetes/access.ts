import pLimit from 'p-limit';
import { stringify } from 'yaml';
import { apiFailure } from './error.ts';
import type { Transport } from './http/transport.ts';

/** One permission in the terms of RBAC; without a namespace: in the whole cluster. */
export interface AccessCheck {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  /** Of the one object that it is about; without: of all. */
  name?: string;
}

/** Opens connections to pods of this namespace. A WebSocket is opened by GET; since Kubernetes 1.35 it needs `create`, too. */
export function portForwardChecks(namespace: string): AccessCheck[] {
  const resource = { group: '', resource: 'pods', subresource: 'portforward', namespace };
  return ['get', 'create'].map((verb) => ({ verb, ...resource }));
}

/** Runs commands in pods of this namespace, which is opened as a port-forward is. */
export function commandChecks(namespace: string): AccessCheck[] {
  const resource = { group: '', resource: 'pods', subresource: 'exec', namespace };
  return ['get', 'create'].map((verb) => ({ verb, ...resource }));
}

/** Asks the API server which of these permissions we do not have, in the order of the checks. */
export async function missingPermissions(
  transport: Pick<Transport, 'request'>,
  checks: readonly AccessCheck[],
  signal: AbortSignal,
): Promise<AccessCheck[]> {
  const limit = pLimit(8);
  try {
    const allowed = await Promise.all(
      checks.map((check) => limit(() => isAllowed(transport, check, signal))),
    );
    return checks.filter((_, index) => !allowed[index]);
  } catch (error) {
    signal.throwIfAborted();
    throw apiFailure(error, { verb: 'create', object: 'SelfSubjectAccessReview' });
  }
}

async function isAllowed(
  transport: Pick<Transport, 'request'>,
  check: AccessCheck,
  signal: AbortSignal,
): Promise<boolean> {
  const { body } = await transport.request<{ status?: { allowed?: boolean } }>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: check },
    },
    // A review stores nothing, so it may be repeated although it is a POST.
    idempotent: true,
    signal,
  });
  return body.status?.allowed === true;
}

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** YAML of the Roles, and of the ClusterRole, that grant exactly these permissions; to be pasted. */
export function roleFor(missing: readonly AccessCheck[]): string {
  const namespaces = [...new Set(missing.map((check) => check.namespace))];
  return namespaces
    .map((namespace) =>
      stringify(
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: namespace === undefined ? 'ClusterRole' : 'Role',
          metadata: { name: 'consul-deploy', ...(namespace !== undefined && { namespace }) },
          rules: rules(missing.filter((check) => check.namespace === namespace)),
        },
        { lineWidth: 0, collectionStyle: 'any' },
      ),
    )
    .join('---\n');
}

/** One rule for all resources of a group that need the same verbs. */
function rules(checks: readonly AccessCheck[]): Rule[] {
  const verbsOf = new Map<string, { group: string; resource: string; object?: string; verbs: Set<string> }>();
  for (const { group, resource, subresource, verb, name: object } of checks) {
    const name = subresource ? `${resource}/${subresource}` : resource;
    const key = `${group} ${name} ${object ?? ''}`;
    const of = { group, resource: name, ...(object !== undefined && { object }) };
    const entry = verbsOf.get(key) ?? { ...of, verbs: new Set<string>() };
    entry.verbs.add(verb);
    verbsOf.set(key, entry);
  }
  const result = new Map<string, Rule>();
  for (const { group, resource, object, verbs } of verbsOf.values()) {
    const sorted = [...verbs].sort();
    // Names are those of one resource.
    const key = `${group} ${sorted.join()} ${object === undefined ? '' : resource}`;
    const names = object === undefined ? {} : { resourceNames: [] };
    const rule: Rule = result.get(key) ?? { apiGroups: [group], resources: [], ...names, verbs: sorted };
    if (!rule.resources.includes(resource)) rule.resources.push(resource);
    if (object !== undefined) rule.resourceNames?.push(object);
    result.set(key, rule);
  }
  return [...result.values()];
}
