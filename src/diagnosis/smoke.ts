import { GRACE, type Subject, type Symptom } from './symptom.ts';

/** A proof that is tried again and again. @param trouble of its last try */
export function smokeSymptom(subject: Subject, title: string, trouble: string): Symptom {
  return {
    reason: 'smoke',
    class: 'transient',
    graceMs: GRACE.smoke,
    subject,
    what: `${title} fails: ${trouble}`,
    hint: 'Consul has a quorum and yet does not do this. See its log below, and whether the network lets it (8300, 8301, 8600).',
  };
}
