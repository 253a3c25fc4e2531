import { oneLine } from './escape.ts';
import type { Result } from './result.ts';

/**
 * The outputs of the action; what is not known is empty.
 * @param reportPath where the JSON report was written, if it was
 */
export function outputs(result: Result, reportPath?: string): Record<string, string> {
  return {
    result: result.result,
    'failure-reason': result.failure?.reason ?? '',
    changed: String(result.changed),
    'plan-digest': word(result.planDigest),
    'manifest-digest': word(result.manifestDigest),
    image: word(result.image),
    'consul-version': word(result.consulVersion),
    leader: word(result.leader),
    voters: number(result.voters),
    'clients-ready': number(result.clientsReady),
    'clients-desired': number(result.clientsDesired),
    snapshot: result.snapshot?.path ?? '',
    'snapshot-index': number(result.snapshot?.index),
    'snapshot-sha256': result.snapshot?.sha256 ?? '',
    differences: number(result.difference?.total),
    'duration-ms': number(Math.round(result.durationMs)),
    report: reportPath ?? '',
  };
}

/** Outputs end up in other people's `run:` scripts, and these come from the cluster: no quotes, no `$`, no spaces. */
function word(text: string | undefined): string {
  return oneLine(text ?? '', 500).replace(/[^\w.:@/+-]/g, '-');
}

function number(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}
