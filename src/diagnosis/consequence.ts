import type { Symptom } from './symptom.ts';

/** A server that does not even run, or not rightly: without it no leader is only what follows. */
export function hinders(symptoms: readonly Symptom[]): boolean {
  return symptoms.some(
    ({ reason, subject, runs }) =>
      subject.role === 'server' && reason !== 'not-ready' && reason !== 'smoke' && !runs,
  );
}

/**
 * A server that is not ready waits for the others, where one of them is in worse trouble or there is no quorum. A
 * smoke test fails with the agent that it goes through, and with the quorum.
 */
export function follows(
  { reason, subject }: Symptom,
  symptoms: readonly Symptom[],
  quorum: readonly Symptom[],
): boolean {
  if (reason === 'smoke') {
    const others = [...symptoms.filter((one) => one.reason !== 'smoke'), ...quorum];
    return others.some((one) => one.subject.role === 'server' || one.subject.uid === subject.uid);
  }
  return reason === 'not-ready' && subject.role === 'server' && (hinders(symptoms) || quorum.length > 0);
}
