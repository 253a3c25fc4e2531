import { plain } from './escape.ts';
import type { Result } from './result.ts';
import type { Secrets } from './secret.ts';
import { mapStrings } from './strings.ts';

/** Their strings are words of this project, not of a cluster or a user. */
const CLOSED: ReadonlySet<string> = new Set([
  'mode',
  'result',
  'reason',
  'id',
  'group',
  'status',
  'action',
  'consequence',
  'class',
  'remedy',
  'outcome',
  'state',
  'raft',
]);

/** The Result without secrets. A password such as `timeout` must not change the verdict, nor its own name. */
export function redactResult(result: Result, secrets: Secrets): Result {
  // Again once it is plain: what nobody sees may have stood within a secret, and every report leaves it out.
  const redact = (text: string) => secrets.redact(plain(secrets.redact(text)));
  const phases = result.phases.map((phase) =>
    phase.steps ? { ...phase, steps: mapStrings(phase.steps, redact, CLOSED) } : phase,
  );
  return { ...mapStrings(result, redact, CLOSED), phases };
}
