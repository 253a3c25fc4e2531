import { boolean } from '../parser/boolean.ts';
import { choice } from '../parser/choice.ts';
import { optional } from '../parser/parser.ts';
import { line } from '../parser/text.ts';
import type { Input } from './input.ts';

/** What a run says, and where. */
export const REPORT = {
  summary: {
    parser: boolean,
    default: 'true',
    description: 'Write the step summary.',
  },
  'summary-path': {
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the summary to as Markdown, in the workspace or the temporary directory of the runner: for a comment on a pull request, or another system.',
  },
  'report-path': {
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the JSON report to, in the workspace or the temporary directory of the runner.',
  },
  'junit-path': {
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the checks and the verdict to as JUnit XML, in the workspace or the temporary directory of the runner.',
  },
  'report-html': {
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the report to as one HTML page, in the workspace or the temporary directory of the runner: for people, to be opened from the artifact of a run. It loads nothing and runs no script.',
  },
  'manifests-path': {
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the rendered YAML to, in the workspace or the temporary directory of the runner. `render` writes `consul-manifests.yaml` in the workspace without it. Secrets go into a file beside it, such as `consul-manifests.secrets.yaml`, which only the user of the runner can read.',
  },
  'log-level': {
    parser: choice(['quiet', 'info', 'debug']),
    default: 'info',
    description: 'How much the log says: `quiet`, `info` or `debug`.',
  },
} as const satisfies Record<string, Input>;
