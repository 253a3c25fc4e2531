import type { Config } from '../../config/config.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { rehearsalNamespace } from '../../manifests/rehearsal.ts';

/** The namespace is not there yet, so nobody can have been given a right in it alone. */
export function rehearsalPermissions(config: Pick<Config, 'namespace' | 'name'>): AccessCheck[] {
  const namespaces = { group: '', resource: 'namespaces' };
  const pods = { group: '', resource: 'pods' };
  const name = rehearsalNamespace(config);
  return [
    { verb: 'create', ...namespaces },
    ...['get', 'delete'].map((verb) => ({ verb, ...namespaces, name })),
    ...['create', 'get'].map((verb) => ({ verb, ...pods })),
    { verb: 'get', ...pods, subresource: 'log' },
    ...['create', 'get'].map((verb) => ({ verb, ...pods, subresource: 'portforward' })),
  ];
}
