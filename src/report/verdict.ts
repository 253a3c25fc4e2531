import { count } from '../count.ts';
import { formatDuration } from './duration.ts';
import { oneLine } from './escape.ts';
import { phaseTitle } from './phase.ts';
import type { Check, Result } from './result.ts';
import { differenceHeadline } from './section/difference.ts';
import { driftedObjects } from './section/drift.ts';
import { sweepHeadline } from './section/ghost.ts';
import { planHeadline } from './section/plan-line.ts';

export const CHECK_ORDER = ['failed', 'pending', 'warning', 'passed', 'skipped'] as const;
export const OBJECT_ORDER = ['created', 'changed', 'recreated', 'removed', 'kept', 'unchanged'] as const;

/** The run in one line, for every report. The texts are plain, not yet escaped for where they go. */
export interface Verdict {
  headline: string;
  /** The check that decided against success: the first failed one, else the first still open. */
  check: Check | undefined;
}

export function verdict(result: Result): Verdict {
  const check = result.result === 'success' ? undefined : decisive(result.checks);
  return { headline: oneLine(headline(result, check), 240), check };
}

/** Whether there is a cluster that may be left in another state: files are rendered and inspected without one. */
export function touchesCluster({ mode, cluster }: Result): boolean {
  return mode !== 'render' && (mode !== 'inspect' || cluster !== undefined);
}

/** `12 created, 1 changed`; what does not occur is left out. */
export function tally<Word extends string>(words: readonly Word[], order: readonly Word[]): string {
  return order
    .map((word) => ({ word, total: words.filter((other) => other === word).length }))
    .filter(({ total }) => total > 0)
    .map(({ word, total }) => `${total} ${word}`)
    .join(', ');
}

/** What failed, then what was still open, then the rest, each in its own order. */
export function byUrgency(checks: readonly Check[]): Check[] {
  return CHECK_ORDER.flatMap((status) => checks.filter((check) => check.status === status));
}

function decisive(checks: readonly Check[]): Check | undefined {
  return (
    checks.find(({ status }) => status === 'failed') ?? checks.find(({ status }) => status === 'pending')
  );
}

function headline(result: Result, check: Check | undefined): string {
  if (result.result === 'success') return success(result);
  if (result.result === 'cancelled') return cancelled(result);
  const subject = unproven(result);
  return `${subject}: ${result.failure?.what ?? (check ? `${check.title}: ${check.observed}` : 'no cause given')}`;
}

function unproven({ mode, failure, snapshot, phases }: Result): string {
  if (mode === 'render') return 'Manifests are not rendered';
  if (mode === 'plan') return 'There is no plan';
  if (mode === 'destroy') return 'Consul is not removed';
  if (mode === 'sweep') return 'The catalog is not clean';
  if (mode === 'snapshot') return 'There is no snapshot';
  if (mode === 'inspect') return `The snapshot is not ${snapshot ? 'compared' : 'inspected'}`;
  if (mode === 'rehearse') return 'The snapshot is not proven';
  if (mode === 'restore') return 'Nothing is proven to be restored';
  // The last that a verification does.
  if (mode === 'verify' && phases.some(({ name }) => name === 'snapshot'))
    return 'Consul is proven, and its snapshot is not';
  if (failure?.reason === 'not-moved') return 'Consul is proven, and services are still at its servers';
  return failure?.reason === 'drift' ? 'Consul is not as it was deployed' : 'Consul is not proven';
}

function success(result: Result): string {
  const took = formatDuration(result.durationMs);
  if (result.mode === 'render')
    return `Manifests rendered: ${count(result.objects.length, 'object')} in ${took}`;
  if (result.mode === 'plan') return `Plan: ${planHeadline(result)}`;
  if (result.mode === 'destroy') return destroyed(result, took);
  if (result.mode === 'sweep') return sweepHeadline(result);
  if (result.mode === 'snapshot') return snapshotHeadline(result, took);
  if (result.mode === 'inspect') return inspectHeadline(result, took);
  if (result.mode === 'rehearse') return `The restore of the snapshot works: rehearsed in ${took}`;
  const parts = result.voters === undefined ? [] : [count(result.voters, 'voter')];
  const { clientsReady: ready, clientsDesired: desired } = result;
  if (ready !== undefined && desired) {
    parts.push(ready === desired ? count(ready, 'client') : `${ready} of ${count(desired, 'client')}`);
  }
  if (result.mode === 'restore')
    parts.unshift(
      result.checks.some(({ id }) => id === 'restore-snapshot')
        ? 'the snapshot is restored'
        : 'the quorum is whole',
    );
  return `${works(result)}: ${[...parts, `proven in ${took}`].join(', ')}`;
}

function destroyed({ changed, objects }: Result, took: string): string {
  if (!changed) return 'There was nothing to remove';
  const kept = objects.filter(({ action }) => action === 'kept').length;
  const removed = objects.filter(({ action }) => action === 'removed').length;
  return `Consul is removed: ${count(removed, 'object')} in ${took}${kept > 0 ? `, ${kept} kept` : ''}`;
}

function snapshotHeadline(result: Result, took: string): string {
  return `${held(result)}, taken and verified in ${took}`;
}

function inspectHeadline(result: Result, took: string): string {
  const { difference } = result;
  return `${held(result)}, ${difference ? differenceHeadline(difference) : `read to its end in ${took}`}`;
}

function held({ snapshot }: Result): string {
  const { keys = 0, services = 0 } = snapshot?.counts ?? {};
  return `Snapshot of ${count(keys, 'key')} and ${count(services, 'service')}`;
}

function works({ mode, drift = [] }: Result): string {
  if (mode !== 'verify') return 'Consul works';
  const objects = driftedObjects(drift);
  if (objects === 0) return 'Consul works and is as deployed';
  return `Consul works, but ${count(objects, 'object')} ${objects === 1 ? 'is' : 'are'} not as deployed`;
}

function cancelled(result: Result): string {
  const phase = result.phases.findLast(({ status }) => status === 'failed') ?? result.phases.at(-1);
  const where = phase ? `Cancelled in phase “${phaseTitle(phase.name)}”` : 'Cancelled';
  return `${where} after ${formatDuration(result.durationMs)}`;
}
