export interface ObjectOutcome {
  kind: string;
  name: string;
  namespace?: string;
  action: 'created' | 'changed' | 'recreated' | 'removed' | 'kept' | 'unchanged';
}

/** One field that differs; values are ready to be shown: JSON, shortened, never of a Secret. */
export interface FieldChange {
  /** As server-side apply writes it: `.spec.template.spec.containers[name="consul"].image`. */
  path: string;
  /** Absent when there was nothing. */
  before?: string;
  /** Absent when there will be nothing. */
  after?: string;
}

/** What a change does to what runs, the mildest first. */
export const CONSEQUENCES = [
  'none',
  'metadata',
  'in-place',
  'reloads',
  'restarts',
  'create',
  'rolls-pods',
  'recreate',
  'delete',
  'data-loss',
] as const;
export type Consequence = (typeof CONSEQUENCES)[number];

/** What a deploy would do to one object. */
export interface PlannedChange {
  kind: string;
  name: string;
  namespace?: string;
  consequence: Consequence;
  fields: FieldChange[];
  /** How many pods are replaced. */
  podCount?: number;
  /** Which, in this order; absent where their names are chosen only then. */
  pods?: string[];
  /** What else a reviewer has to know. */
  notes: string[];
}

/** One object that is not as it was deployed. */
export interface Drift {
  kind: string;
  name: string;
  namespace?: string;
  /** `replaced`: there is another object of that name; `unexpected`: one that was not deployed. */
  what: 'missing' | 'changed' | 'replaced' | 'unexpected';
  /** `before` as it was deployed, `after` as it is. */
  fields: FieldChange[];
  /** Field manager that changed all of these; nobody is known where a field was removed. */
  by?: string;
  /** RFC 3339. */
  at?: string;
}
