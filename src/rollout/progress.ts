import type { PodView } from './pod.ts';
import type { Verdict } from './verdict.ts';

export interface ProgressPart {
  /** Such as `servers`. */
  title: string;
  verdict: Verdict;
  pods: readonly PodView[];
}

const MOST_CAUSES = 3;
/** What a kubelet says between two tries, as what it says while it tries: otherwise there is a line for each change of the two. */
const PAUSES: Record<string, string> = { ImagePullBackOff: 'ErrImagePull' };

/** `servers 2/3 ready, clients 7/10; waiting: consul-client-3 ContainerCreating`. */
export function progressLine(parts: readonly ProgressPart[]): string {
  const firstCounted = parts.find(({ verdict }) => whyUncounted(verdict) === undefined);
  const counts = parts
    .map((part) => {
      const { title, verdict } = part;
      const uncounted = whyUncounted(verdict);
      if (uncounted !== undefined) return `${title} ${uncounted}`;
      const excluded = verdict.excluded.length > 0 ? ` (without ${verdict.excluded.join(', ')})` : '';
      return `${title} ${verdict.ready}/${verdict.desired}${part === firstCounted ? ' ready' : ''}${excluded}`;
    })
    .join(', ');
  const causes = parts.flatMap(causesOf);
  if (causes.length === 0) return counts;
  const shown = causes.slice(0, MOST_CAUSES).join(', ');
  const more = causes.length > MOST_CAUSES ? ` and ${causes.length - MOST_CAUSES} more` : '';
  return `${counts}; waiting: ${shown}${more}`;
}

/** Before a workload is observed it is not known how many pods there will be: 0/0 would look like all of them. */
function whyUncounted(verdict: Verdict): string | undefined {
  return verdict.state === 'progressing' && verdict.desired === 0 ? verdict.reason : undefined;
}

/** Lets a line through only when it differs from the last one. */
export class Progress {
  #last: string | undefined;

  /** The line to print, or undefined when nothing a person would notice has changed. */
  next(parts: readonly ProgressPart[]): string | undefined {
    const line = progressLine(parts);
    if (line === this.#last) return undefined;
    this.#last = line;
    return line;
  }
}

/** The most frequent first: with hundreds of pods the line names causes, not pods. */
function causesOf({ title, verdict, pods }: ProgressPart): string[] {
  if (verdict.state === 'ready' || whyUncounted(verdict) !== undefined) return [];
  if (verdict.state === 'gone') return [verdict.reason];
  const byName = new Map(pods.map((pod) => [pod.name, pod]));
  const waiting = verdict.unready.flatMap((name) => {
    const cause = byName.get(name)?.waiting?.split(':')[0];
    return cause === undefined ? [] : [{ name, cause: PAUSES[cause] ?? cause }];
  });
  if (waiting.length === 0) return [`${title} (${verdict.reason})`];
  return [...Map.groupBy(waiting, ({ cause }) => cause)]
    .sort(([, some], [, others]) => others.length - some.length)
    .map(([cause, [first, ...others]]) =>
      others.length === 0 ? `${first?.name} ${cause}` : `${first?.name} and ${others.length} more ${cause}`,
    );
}
