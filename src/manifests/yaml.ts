import { createHash } from 'node:crypto';
import { parseAllDocuments, stringify } from 'yaml';
import { Failure } from '../failure.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** One YAML text in a stable order, fit for `kubectl apply -f`. */
export function toYaml(objects: readonly KubernetesObject[]): string {
  // No anchors: reviewers and some tools read each document by itself.
  return objects
    .map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0, sortMapEntries: true }))
    .join('---\n');
}

/** `sha256:<hex>` of the rendered YAML. */
export function manifestDigest(yaml: string): string {
  return `sha256:${createHash('sha256').update(yaml).digest('hex')}`;
}

/**
 * Reads what a post-render command wrote. Every mistake of the text is named in one message.
 *
 * @throws Failure `post-render`
 */
export function parseManifests(text: string, source: string): KubernetesObject[] {
  const mistakes: string[] = [];
  const objects: KubernetesObject[] = [];
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  const list = Array.isArray(documents) ? documents : [];
  list.forEach((document, index) => {
    const where = `document ${index + 1}`;
    for (const error of document.errors) mistakes.push(`${where}: ${error.message.split('\n')[0]}`);
    if (document.errors.length > 0) return;
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value === null || value === undefined) return;
    const missing = missingFields(value);
    if (missing.length > 0) mistakes.push(`${where}: has no ${missing.join(', ')}`);
    else objects.push(value as KubernetesObject);
  });
  if (objects.length === 0 && mistakes.length === 0) mistakes.push('there is no object in it');
  const seen = new Set<string>();
  for (const { apiVersion, kind, metadata } of objects) {
    const id = `${apiVersion.split('/')[0]} ${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
    if (seen.has(id)) mistakes.push(`${kind}/${metadata.name} is there twice`);
    seen.add(id);
  }
  if (mistakes.length > 0) {
    throw new Failure({
      reason: 'post-render',
      what: 'the output is not a set of Kubernetes objects',
      where: source,
      hint: 'It has to write YAML documents with apiVersion, kind and metadata.name to its standard output, and nothing else.',
      details: mistakes,
    });
  }
  return objects;
}

function missingFields(value: unknown): string[] {
  const { apiVersion, kind, metadata } = (
    typeof value === 'object' ? value : {}
  ) as Partial<KubernetesObject>;
  return [
    ...(typeof apiVersion === 'string' && apiVersion !== '' ? [] : ['apiVersion']),
    ...(typeof kind === 'string' && kind !== '' ? [] : ['kind']),
    ...(typeof metadata?.name === 'string' && metadata.name !== '' ? [] : ['metadata.name']),
  ];
}
