import { choice } from '../parser/choice.ts';
import { duration } from '../parser/duration.ts';
import type { Input } from './input.ts';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

/** What a run does, and how long it may take. */
export const WHAT_TO_DO = {
  mode: {
    parser: choice([
      'deploy',
      'plan',
      'verify',
      'sweep',
      'snapshot',
      'inspect',
      'rehearse',
      'restore',
      'destroy',
      'render',
    ]),
    default: 'deploy',
    description:
      '`deploy` brings the cluster to what the inputs say and proves that it works; `plan` shows what a deploy would change and writes nothing; `verify` proves that the cluster works and still is what was deployed; `sweep` finds ghosts in the catalog, and removes them with `sweep-apply`; `snapshot` takes a copy of what Consul holds, and reads it to its end; `inspect` tells what is in a snapshot, and with `compare` in what it differs from the cluster or from another one; `rehearse` tries the restore of a snapshot in a namespace of its own; `restore` brings Consul to what a snapshot holds; `destroy` removes what was deployed; `render` writes the Kubernetes objects as YAML and needs no cluster.',
  },
  timeout: {
    parser: duration(SECOND, DAY),
    default: '10m',
    description: 'The deadline of the whole run, such as `90s`, `10m` or `1h30m`.',
  },
  'stable-for': {
    parser: duration(0, DAY),
    default: '10s',
    description:
      'How long leader, term, voters and the readiness of every pod have to stay as they are before the cluster counts as proven. Less than `timeout`.',
  },
} as const satisfies Record<string, Input>;
