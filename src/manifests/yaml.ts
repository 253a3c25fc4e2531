import { createHash } from 'node:crypto';
import { Document, visit } from 'yaml';
import { Failure } from '../failure.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { withSecretDigest } from '../secret/digest.ts';
import { readYamlDocuments } from '../yaml.ts';

/**
 * What kubectl's reader may take for a number, in all the ways of Go: `1_000`, `0x_1F`, `-0b1`, `1e1_0`.
 * https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/goyaml.v2/resolve.go
 */
const LIKE_A_NUMBER = /^[-+.]?[0-9._][0-9a-fA-F_xXoO.:+-]*$/;

/** One YAML text in a stable order, fit for `kubectl apply -f`, which reads YAML 1.1. */
export function toYaml(objects: readonly KubernetesObject[]): string {
  return objects.map(documentOf).join('---\n');
}

function documentOf(object: KubernetesObject): string {
  // No anchors: reviewers and some tools read each document by itself.
  const document = new Document(object, {
    compat: 'yaml-1.1',
    aliasDuplicateObjects: false,
    sortMapEntries: true,
  });
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && LIKE_A_NUMBER.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** `sha256:<hex>` of the rendered YAML, in which a slow hash stands for the data of each Secret. */
export function manifestDigest(objects: readonly KubernetesObject[]): string {
  const yaml = toYaml(objects.map(withSecretDigest));
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
  readYamlDocuments(text).forEach((document, index) => {
    const where = `document ${index + 1}`;
    if ('refusal' in document) {
      const { at, why } = document.refusal;
      mistakes.push(`${where}: ${at === undefined ? '' : `${at}: `}${why}`);
      return;
    }
    const { value } = document;
    if (value === null) return;
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
  // Of a text or a number all three are missing as well.
  const { apiVersion, kind, metadata } = value as Partial<KubernetesObject>;
  return [
    ...(typeof apiVersion === 'string' && apiVersion !== '' ? [] : ['apiVersion']),
    ...(typeof kind === 'string' && kind !== '' ? [] : ['kind']),
    ...(typeof metadata?.name === 'string' && metadata.name !== '' ? [] : ['metadata.name']),
  ];
}
