import type { ServerResponse } from 'node:http';
import { type Call, json } from './fake-server.ts';

const KINDS: Record<string, Record<string, [kind: string, resource: string, scope: string][]>> = {
  '': {
    v1: [
      ['Namespace', 'namespaces', 'Cluster'],
      ['ConfigMap', 'configmaps', 'Namespaced'],
      ['Secret', 'secrets', 'Namespaced'],
      ['Service', 'services', 'Namespaced'],
    ],
  },
  apps: {
    v1: [
      ['StatefulSet', 'statefulsets', 'Namespaced'],
      ['DaemonSet', 'daemonsets', 'Namespaced'],
    ],
  },
  'networking.k8s.io': { v1: [['NetworkPolicy', 'networkpolicies', 'Namespaced']] },
  'rbac.authorization.k8s.io': { v1: [['ClusterRole', 'clusterroles', 'Cluster']] },
};

/**
 * Answers aggregated discovery; false when the call is about something else.
 * @param more groups beside those that are always there
 */
export function answerAggregated(
  call: Call,
  response: ServerResponse,
  more: readonly ReturnType<typeof staleGroup>[] = [],
): boolean {
  if (call.path !== '/api' && call.path !== '/apis') return false;
  const items = Object.entries(KINDS)
    .filter(([group]) => (call.path === '/api') === (group === ''))
    .map(([group, versions]) => ({
      metadata: { name: group },
      versions: Object.entries(versions).map(([version, kinds]) => ({
        version,
        resources: kinds.map(([kind, resource, scope]) => ({
          resource,
          scope,
          responseKind: { group, version, kind },
        })),
      })),
    }));
  const answered = call.path === '/apis' ? [...items, ...more] : items;
  json(response, 200, {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    items: answered,
  });
  return true;
}

/** As kube-aggregator tells of an APIService that is not available. @param known what it was before, if that is known */
export function staleGroup(name: string, known: { kind: string; resource: string }[] = []) {
  const resources = known.map(({ kind, resource }) => ({
    resource,
    scope: 'Namespaced',
    responseKind: { group: name, version: 'v1', kind },
  }));
  return { metadata: { name }, versions: [{ version: 'v1', freshness: 'Stale', resources }] };
}

/** Answers as API servers did before; false when the call is about something else. */
export function answerEach(call: Call, response: ServerResponse): boolean {
  if (call.path === '/api') json(response, 200, { kind: 'APIVersions', versions: ['v1'] });
  else if (call.path === '/apis') {
    const groups = Object.entries(KINDS)
      .filter(([group]) => group !== '')
      .map(([name, versions]) => ({
        name,
        versions: Object.keys(versions).map((version) => ({ groupVersion: `${name}/${version}`, version })),
      }));
    json(response, 200, { kind: 'APIGroupList', groups });
  } else {
    const [, group = '', version = ''] = /^\/apis?(?:\/([^/]+))?\/(v\d+)$/.exec(call.path) ?? [];
    const kinds = KINDS[group]?.[version];
    if (!kinds) return false;
    const resources = kinds.flatMap(([kind, name, scope]) => [
      { name, kind, namespaced: scope === 'Namespaced' },
      { name: `${name}/status`, kind, namespaced: scope === 'Namespaced' },
    ]);
    json(response, 200, { kind: 'APIResourceList', resources });
  }
  return true;
}
