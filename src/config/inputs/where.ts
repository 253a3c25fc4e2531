import { boolean } from '../parser/boolean.ts';
import { kubeconfig } from '../parser/kubeconfig.ts';
import { namespaceName } from '../parser/name.ts';
import { optional } from '../parser/parser.ts';
import { glob, line } from '../parser/text.ts';
import type { Input } from './input.ts';

/** Where it is done. */
export const WHERE = {
  kubeconfig: {
    parser: kubeconfig,
    default: '',
    description:
      'Path to a kubeconfig, or a kubeconfig as one line of base64 (`base64 -w0`). Without it: the environment variable `KUBECONFIG`, then the service account of the pod the runner is in.',
    confidential: true,
  },
  context: {
    parser: optional(line('the name of a context of the kubeconfig')),
    default: '',
    description: "Context of the kubeconfig. Without it: the kubeconfig's current context.",
  },
  namespace: {
    parser: namespaceName,
    default: 'consul',
    description: 'Namespace to deploy to.',
  },
  'create-namespace': {
    parser: boolean,
    default: 'true',
    description: 'Create the namespace where it is missing.',
  },
  'expect-cluster': {
    parser: optional(glob),
    default: '',
    description:
      "Glob that the API server's URL or the context's name has to match, such as `*staging*`. One that begins with `!`, such as `!*production*`, has to hold for both. A guard against deploying to the wrong cluster.",
  },
} as const satisfies Record<string, Input>;
