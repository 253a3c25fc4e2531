import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { kubectl, kubectlJson } from '../kubernetes/cluster.ts';
import type { Outcome } from '../run/action.ts';

interface Listed {
  kind: string;
  metadata: { name: string; uid: string; ownerReferences?: unknown[] };
}

/** What every namespace has, and what controllers make and take away by themselves. */
const OF_ITSELF =
  /^(Event|Endpoints|EndpointSlice|ControllerRevision)\/|^ConfigMap\/kube-root-ca\.crt$|^ServiceAccount\/default$/;

/** `Kind/name` -> uid of everything in the namespace, of every kind that kubectl can list. */
export async function everythingIn(namespace: string): Promise<Record<string, string>> {
  const resources = await kubectl('api-resources', '--namespaced', '--verbs=list', '-o', 'name');
  const { items } = await kubectlJson<{ items: Listed[] }>(
    '-n',
    namespace,
    'get',
    resources.trim().split(/\s+/).join(','),
  );
  return Object.fromEntries(
    items
      .map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.uid] as const)
      .filter(([object]) => !OF_ITSELF.test(object)),
  );
}

/** A `post-render` command that adds these objects to what is rendered. */
export function adding(...objects: object[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-extra-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'extra.yaml');
  writeFileSync(file, objects.map((object) => `---\n${stringify(object)}`).join(''));
  return `cat - ${file}`;
}

export function configMap(name: string, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data: { a: 'b' } };
}

export function succeeded(outcome: Outcome): Outcome {
  expect(outcome.code, outcome.log).toBe(0);
  return outcome;
}

/** `Kind/name` of the objects of the report with this outcome. */
export function told({ report }: Outcome, action: string): string[] {
  return (report?.objects ?? [])
    .filter((one) => one.action === action)
    .map(({ kind, name }) => `${kind}/${name}`);
}
