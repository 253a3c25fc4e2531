import * as z from 'zod';
import type { Patch } from '../config.ts';
import { type Parser, parser } from './parser.ts';
import { readYaml } from './yaml.ts';

const ALLOWED =
  'a YAML list, or documents, of {target: {kind, name}, merge: {…}} or {target: {kind, name}, operations: […]}';
const TARGET = 'an object with kind and name, such as {kind: StatefulSet, name: consul-server}';
const OPERATION = 'a JSON patch operation (RFC 6902) of op, path and, as the op needs it, from or value';
const POINTER = 'a JSON pointer (RFC 6901) such as /spec/replicas or /metadata/labels/example.com~1team';

const pointer = z.string(POINTER).regex(/^(?:\/(?:[^~/]|~[01])*)*$/, POINTER);

const operation = z
  .strictObject(
    {
      op: z.enum(
        ['add', 'remove', 'replace', 'move', 'copy', 'test'],
        'add, remove, replace, move, copy or test',
      ),
      path: pointer,
      from: pointer.exactOptional(),
      value: z.unknown().exactOptional(),
    },
    OPERATION,
  )
  .superRefine((given, context) => {
    const needs = {
      add: 'value',
      replace: 'value',
      test: 'value',
      move: 'from',
      copy: 'from',
      remove: undefined,
    };
    const key = needs[given.op];
    if (key && !Object.hasOwn(given, key)) {
      context.addIssue({ code: 'custom', message: `${key}, which ${given.op} needs` });
    }
  });

const patch = z
  .strictObject(
    {
      target: z.strictObject(
        {
          kind: z.string('a kind').regex(/^[A-Z][A-Za-z0-9]{0,62}$/, 'a kind such as StatefulSet'),
          name: z.string('an object name').regex(/^[^\s/]{1,253}$/, 'an object name such as consul-server'),
        },
        TARGET,
      ),
      merge: z.record(z.string(), z.unknown(), 'an object, which is merged (RFC 7386)').exactOptional(),
      operations: z
        .array(operation, 'a list of JSON patch operations (RFC 6902)')
        .min(1, 'at least one operation')
        .exactOptional(),
    },
    'an object with target and either merge or operations',
  )
  .transform(({ target, merge, operations }, context): Patch => {
    if (merge && !operations) return { target, merge };
    if (operations && !merge) return { target, operations };
    context.addIssue({ code: 'custom', message: 'either merge or operations, not both' });
    return z.NEVER;
  });

/** Patches in their order. Nothing of a patch is repeated in a mistake, only its position: it may hold a secret. */
export const patches: Parser<Patch[]> = parser(ALLOWED, (text, refuse): unknown[] => {
  const read = readYaml(text);
  if ('refusal' in read) return refuse(read.refusal);
  return read.documents.flat(1).filter((item) => item !== null);
}).pipe(z.array(patch));
