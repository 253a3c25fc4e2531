import * as z from 'zod';
import type { ResourceRequirements } from '../config.ts';
import { nearest } from '../nearest.ts';
import type { Parser } from './parser.ts';
import { isFractionOfByte, isQuantity, likelySize } from './quantity.ts';
import { yaml } from './yaml.ts';

const ALLOWED =
  'YAML such as {"requests": {"cpu": "100m", "memory": "256Mi"}}, with only requests and limits';
const QUANTITY = 'a Kubernetes quantity such as 100m, 2, 512Mi or 1Gi';
const NAMES = ['cpu', 'memory', 'ephemeral-storage'];
const NAME = /^(?:hugepages-\w+|[a-z0-9.-]+\.[a-z0-9-]+\/[\w.-]+)$/;

/** YAML reads `cpu: 2` as a number. */
const quantity = z.union([z.string(), z.number().transform(String)], QUANTITY);

const quantities = z
  .record(z.string(), quantity, 'a mapping such as {"cpu": "100m"}')
  .superRefine((value, context) => {
    for (const [name, text] of Object.entries(value)) {
      const refuse = (input: string, message: string, likely: string | undefined) => {
        const hint = likely && `did you mean \`${likely}\`?`;
        context.addIssue({ code: 'custom', input, message, path: [name], params: { hint } });
      };
      if (!NAMES.includes(name) && !NAME.test(name)) {
        refuse(name, 'a resource such as cpu, memory or ephemeral-storage', nearest(name, NAMES));
      } else if (!isQuantity(text) || (name !== 'cpu' && isFractionOfByte(text))) {
        refuse(text, QUANTITY, name === 'cpu' ? undefined : likelySize(text));
      }
    }
  });

export const resources: Parser<ResourceRequirements> = yaml(ALLOWED).pipe(
  z.strictObject({ requests: quantities.exactOptional(), limits: quantities.exactOptional() }, ALLOWED),
);
