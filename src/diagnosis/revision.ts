import { GRACE, type Subject, type Symptom } from './symptom.ts';

/** A workload whose update strategy keeps pods of the template before. @param what its verdict, which names them */
export function heldBackSymptom(subject: Subject, what: string): Symptom {
  return {
    reason: 'held-back',
    class: 'hopeless',
    graceMs: GRACE.heldBack,
    subject,
    what,
    hint: 'Leave `updateStrategy` out of `patches`, or delete the pods of the revision before yourself.',
  };
}
