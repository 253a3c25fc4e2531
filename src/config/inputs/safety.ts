import { allowance } from '../parser/allowance.ts';
import { boolean } from '../parser/boolean.ts';
import { choice } from '../parser/choice.ts';
import { list } from '../parser/list.ts';
import { optional } from '../parser/parser.ts';
import { isFieldGlob, isObjectGlob, isServiceId, line, planDigest } from '../parser/text.ts';
import type { Input } from './input.ts';

/** What may be changed and removed, and what has to be confirmed. */
export const SAFETY = {
  'force-conflicts': {
    parser: list('globs of Kind/name:field.path', isFieldGlob),
    default: '',
    description:
      'Fields to take over from other field managers, as globs of `Kind/name:field.path`. One per line or comma-separated.',
  },
  adopt: {
    parser: choice(['if-unowned', 'never', 'always']),
    default: 'if-unowned',
    description:
      'What to do with objects that exist and were not deployed by this action: `if-unowned` takes over those that nobody but `kubectl apply` claims, `never` none, `always` also those of other tools.',
  },
  'expect-plan': {
    parser: optional(planDigest),
    default: '',
    description:
      'The output `plan-digest` of a plan that was approved. The deploy computes its plan again, and where anything differs it applies nothing and shows the difference.',
  },
  'allow-data-loss': {
    parser: list('globs of Kind/name', isObjectGlob),
    default: '',
    description:
      'Objects with which a deploy may lose data, as globs of `Kind/name`. One per line or comma-separated. Without it, what a plan classes as data loss is refused before the first write.',
  },
  prune: {
    parser: boolean,
    default: 'true',
    description:
      'Remove objects that an earlier deploy made and that are no longer rendered, after the cluster is proven. Namespaces and volume claims are never removed, nor Secrets but those of agent configuration.',
  },
  'max-prune': {
    parser: allowance,
    default: '30%',
    description:
      'How much of the inventory one deploy may remove: a count such as `3` or a share such as `30%`. What is more needs a higher limit.',
  },
  'on-drift': {
    parser: choice(['fail', 'report']),
    default: 'fail',
    description: 'What `verify` does about drift: `fail` the run, or only `report` it.',
  },
  confirm: {
    parser: optional(line('the name of the cluster')),
    default: '',
    description: 'For `destroy` and `restore`: the value of `name`, as a sign that this cluster is meant.',
  },
  'destroy-data': {
    parser: boolean,
    default: 'false',
    description: "For `destroy`: remove the servers' volume claims too, and with them all data.",
  },
  'sweep-apply': {
    parser: boolean,
    default: 'false',
    description:
      'For `sweep`: remove what was found, and prove that it stays away. Without it the ghosts are only listed.',
  },
  deregister: {
    parser: list('ids of services, other than consul', isServiceId),
    default: '',
    description:
      'For `sweep`: ids of services to remove at every agent that holds them, also where a live agent announces them. One per line or comma-separated.',
  },
  lock: {
    parser: boolean,
    default: 'true',
    description: 'Hold a Lease during the run, so that two runs do not change one cluster at once.',
  },
  'move-registrations': {
    parser: boolean,
    default: 'false',
    description:
      'For `deploy`: move services that are registered at servers to client agents, after the proof, with no moment without a healthy instance.',
  },
} as const satisfies Record<string, Input>;
