import { readFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import { kubectl, kubectlApply, kubectlJson } from '../kubernetes/cluster.ts';

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

export interface RbacObject {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
  roleRef?: Subject;
  subjects?: Subject[];
}

/** Documented permissions, as a person would adapt them: another namespace, other cluster-wide names. */
export function rbac(file: string, namespace: string): RbacObject[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  const objects = documents.map((document) => document.toJS() as RbacObject);
  const wide = objects.find(({ kind }) => kind === 'ClusterRole')?.metadata.name;
  for (const { kind, metadata, roleRef, subjects } of objects) {
    if (kind === 'Namespace') metadata.name = namespace;
    if (metadata.namespace) metadata.namespace = namespace;
    if (metadata.name === wide) metadata.name = `${namespace}-${wide}`;
    if (roleRef && roleRef.name === wide) roleRef.name = `${namespace}-${wide}`;
    for (const subject of subjects ?? []) subject.namespace = namespace;
  }
  return objects;
}

export function applyRbac(objects: readonly RbacObject[]): Promise<void> {
  return kubectlApply(objects.map((object) => stringify(object)).join('---\n'));
}

/** What is not in the namespace, and so does not go with it. */
export async function removeRbac(objects: readonly RbacObject[]): Promise<void> {
  const wide = objects.find(({ kind }) => kind === 'ClusterRole')?.metadata.name;
  if (wide) await kubectl('delete', 'clusterrolebinding,clusterrole', wide, '--ignore-not-found');
}

/** One line of base64 with nothing of the admin's kubeconfig but where the cluster is. */
export async function kubeconfigOf(namespace: string, token: string): Promise<string> {
  const admin = await kubectlJson<{ clusters: unknown[] }>(
    'config',
    'view',
    '--raw',
    '--minify',
    '--flatten',
  );
  const [cluster] = admin.clusters as { name: string }[];
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: admin.clusters,
    users: [{ name: 'consul-deploy', user: { token } }],
    contexts: [{ name: 'least', context: { cluster: cluster?.name, user: 'consul-deploy', namespace } }],
    'current-context': 'least',
  };
  return Buffer.from(JSON.stringify(kubeconfig)).toString('base64');
}
