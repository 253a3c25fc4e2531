import type { PhaseStep, Result } from '../../src/report/result.ts';
import { failure } from './example.ts';

const CLOSED = new Set([
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
const NAMED = { kind: '', name: '', namespace: '' };
const SOME = { total: 1, names: [''] };
const NAMES = { onlyHere: SOME, onlyThere: SOME, changed: SOME };
const FIELD = { path: '', before: '', after: '' };

/** A Result that has this text wherever a text can stand. */
export function filled(text: string): Result {
  const full = {
    ...failure(),
    leader: '',
    manifestsPath: '',
    voters: 3,
    planDigest: '',
    plannedSnapshot: '',
    snapshot: {
      path: '',
      bytes: 1,
      sha256: '',
      index: 1,
      encrypted: true,
      stale: false,
      takenAt: '',
      versions: [''],
      counts: { keys: 1 },
      prefixes: [{ prefix: '', keys: 1, bytes: 1 }],
      services: [{ service: '', instances: 1, nodes: 1 }],
    },
    difference: {
      ...{ with: '', index: 1, takenAt: '', total: 1, keys: NAMES, nodes: NAMES, services: NAMES },
      counts: [{ kind: '', here: 1, there: 2 }],
    },
    plan: [{ ...NAMED, consequence: 'rolls-pods' as const, fields: [FIELD], pods: [''], notes: [''] }],
    ghosts: [
      {
        ...{ class: 'unheld' as const, remedy: 'catalog' as const, outcome: 'found' as const, counts: true },
        ...{ nodes: [''], service: '', evidence: '', why: '' },
      },
    ],
    drift: [{ ...NAMED, what: 'changed' as const, fields: [FIELD], by: '', at: '' }],
  };
  const fill = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') return CLOSED.has(key) ? value : `it says ${text} here`;
    if (Array.isArray(value)) return value.map((entry) => fill(entry));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, fill(entry, name)]));
  };
  // Names of phases are words of this project; those of their steps are not.
  const waits = [{ what: '', ms: 1 }];
  const steps = fill([{ name: '', startMs: 0, endMs: 1, status: 'passed', waits }]) as PhaseStep[];
  const phases = full.phases.map((phase) => (phase.name === 'apply' ? { ...phase, steps } : phase));
  return { ...(fill(full) as Result), phases };
}
