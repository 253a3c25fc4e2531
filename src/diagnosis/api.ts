import { GRACE, type Symptom } from './symptom.ts';

/** An API server that has answered before and does not any more. @param cause a few words */
export function apiSymptom(cause: string): Symptom {
  return {
    reason: 'unreachable',
    class: 'transient',
    graceMs: GRACE.silentApi,
    subject: { kind: 'ApiServer', name: 'the API server', uid: '', role: 'server' },
    what: `it does not answer any more: ${cause}`,
    hint: 'What was applied goes on without it. See kubectl get --raw /readyz and the way to it, then run again.',
  };
}
