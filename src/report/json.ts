import { plain } from './escape.ts';
import type { Result } from './result.ts';

/** Reading order of the keys; those of nested objects that are not named here follow by the alphabet. */
const KEYS: readonly string[] = [
  ...['schemaVersion', 'mode', 'result', 'failure', 'left', 'startedAt', 'durationMs'],
  ...[
    'cluster',
    'namespace',
    'name',
    'changed',
    'planDigest',
    'manifestDigest',
    'image',
    'consulVersion',
    'serverAddresses',
    'gossip',
    'tls',
    'snapshot',
    'difference',
    'leader',
    'voters',
  ],
  ...['clientsReady', 'clientsDesired', 'uiCommand', 'manifestsPath'],
  ...['plan', 'encryptionSteps', 'plannedSnapshot', 'drift', 'ghosts', 'topology'],
  ...['phases', 'checks', 'objects', 'warnings', 'timings', 'history'],
];

/** The JSON report of docs/report.schema.json: the same Result always gives the same bytes. */
export function toJson(result: Result): string {
  return `${JSON.stringify(stable(result), null, 2)}\n`;
}

function stable(value: unknown): unknown {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(stable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
      .map(([key, entry]) => [key, stable(entry)]),
  );
}

function rank(key: string): number {
  const index = KEYS.indexOf(key);
  return index < 0 ? KEYS.length : index;
}
