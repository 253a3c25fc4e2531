import { applyPatch as applyOperations, type Operation } from 'rfc6902';
import type { Patch } from '../config/config.ts';
import { Failure } from '../failure.ts';
import { type KubernetesObject, objectName } from '../kubernetes/object.ts';
import { mergePatched } from './merge-patch.ts';

/**
 * Applies the user's patches, in order, to copies of the objects.
 *
 * @throws Failure `invalid-input` that lists every patch that has no target or does not fit.
 */
export function applyPatches(
  objects: readonly KubernetesObject[],
  patches: readonly Patch[],
): KubernetesObject[] {
  const patched = structuredClone(objects) as KubernetesObject[];
  const mistakes: string[] = [];
  patches.forEach((patch, position) => {
    const where = `patch ${position + 1} (${patch.target.kind}/${patch.target.name})`;
    const index = patched.findIndex(
      ({ kind, metadata }) => kind === patch.target.kind && metadata.name === patch.target.name,
    );
    const object = patched[index];
    if (!object) {
      mistakes.push(`${where}: there is no such object; there are ${patched.map(objectName).join(', ')}`);
      return;
    }
    const identity = JSON.stringify([
      object.apiVersion,
      object.kind,
      object.metadata.name,
      object.metadata.namespace,
    ]);
    const { value, errors } = applyOne(object, patch);
    mistakes.push(...errors.map((error) => `${where}: ${error}`));
    if (errors.length > 0) return;
    const after = value as KubernetesObject;
    if (
      JSON.stringify([after.apiVersion, after.kind, after.metadata?.name, after.metadata?.namespace]) !==
      identity
    ) {
      mistakes.push(`${where}: apiVersion, kind, name and namespace cannot be patched`);
      return;
    }
    patched[index] = after;
  });
  if (mistakes.length > 0) {
    throw new Failure({
      reason: 'invalid-input',
      what: `${mistakes.length === 1 ? 'a patch does' : `${mistakes.length} patches do`} not fit what is rendered`,
      where: 'patches',
      hint: 'Run `mode: render` to see the objects that patches apply to.',
      details: mistakes,
    });
  }
  return patched;
}

function applyOne(object: KubernetesObject, patch: Patch): { value: unknown; errors: string[] } {
  if ('merge' in patch)
    return { value: mergePatched(structuredClone(object), structuredClone(patch.merge)), errors: [] };
  const value = structuredClone(object);
  const outcomes = applyOperations(value, patch.operations as Operation[]);
  const errors = outcomes.flatMap((error, index) => {
    if (!error) return [];
    const operation = patch.operations[index];
    return [`operation ${index + 1} (${operation?.op} ${operation?.path}): ${reason(error.name)}`];
  });
  return { value, errors };
}

function reason(name: string): string {
  if (name === 'MissingError') return 'the path does not exist';
  if (name === 'TestError') return 'the value is another one';
  return name;
}
