import { clip, oneLine, plain } from './escape.ts';
import type { Result } from './result.ts';
import { touchesCluster, verdict } from './verdict.ts';

/** GitHub cuts the message at 4096 characters after masking, which may lengthen it. */
const MAX_MESSAGE = 4000;
/** https://docs.github.com/rest/checks/runs: 255 characters. */
const MAX_TITLE = 250;

export interface Annotation {
  title: string;
  /** Lines: the check, cause, where, what to do, link, as much evidence as there is room for. */
  message: string;
}

/** The one error annotation of a run that did not succeed. GitHub shows only a few, so there is only one. */
export function annotation(result: Result): Annotation | undefined {
  if (result.result === 'success') return undefined;
  const { headline, check } = verdict(result);
  const { failure } = result;
  const lines: string[] = [];
  if (check) {
    lines.push(`${line(check.title)}: expected ${line(check.expected)}, observed ${line(check.observed)}`);
  }
  if (failure && !headline.includes(line(failure.what, 800))) lines.push(line(failure.what, 800));
  if (failure?.where) lines.push(`Where: ${line(failure.where)}`);
  if (failure?.hint) lines.push(`What to do: ${line(failure.hint, 800)}`);
  if (failure?.help) lines.push(`Help: ${failure.help}`);
  if (touchesCluster(result)) lines.push(`The cluster is left as: ${line(result.left)}`);
  lines.push(...(failure?.details ?? []).map((detail) => oneLine(detail, 400)));
  return { title: clip(headline, MAX_TITLE), message: clip(plain(lines.join('\n')), MAX_MESSAGE) };
}

function line(text: string, max = 300): string {
  return oneLine(text, max);
}
