import { count } from '../../count.ts';
import { code, markdown } from '../escape.ts';
import type { Result } from '../result.ts';
import { size } from '../size.ts';
import { fixed, type Section } from './section.ts';

const PREFIXES = { columns: ['Prefix', 'Keys', 'Values'], noun: 'prefixes are' };
const SERVICES = { columns: ['Service', 'Instances', 'Nodes'], noun: 'services are' };

type Snapshot = NonNullable<Result['snapshot']>;

/** What is in the snapshot that was taken or inspected: names only, never values. */
export function snapshotSections({ mode, snapshot }: Result): Section[] {
  if (!snapshot) return [];
  const { counts } = snapshot;
  const open = mode === 'inspect';
  const keys = `${count(counts.keys ?? 0, 'key')} by prefix`;
  const services = `${count(counts.services ?? 0, 'registered service')} by name`;
  return [
    fixed(`### Snapshot\n\n${opening(snapshot)}\n\n`),
    ...table(keys, open, PREFIXES, prefixRows(snapshot)),
    ...table(services, open, SERVICES, serviceRows(snapshot)),
  ];
}

/** The same for the log, heads first; not yet escaped. */
export function snapshotTables({ snapshot }: Result): { head: string[]; rows: string[][] }[] {
  if (!snapshot) return [];
  return [
    { head: PREFIXES.columns, rows: prefixRows(snapshot) },
    { head: SERVICES.columns, rows: serviceRows(snapshot) },
  ].filter(({ rows }) => rows.length > 0);
}

function opening({ path, bytes, encrypted, index, takenAt, versions }: Snapshot): string {
  const how = encrypted ? 'encrypted' : 'in plaintext';
  const when = takenAt === undefined ? '' : `, taken at ${markdown(takenAt)} by the clock of the server`;
  const by = versions.length > 0 ? `, with servers of Consul ${markdown(versions.join(', '))}` : '';
  return `In ${code(path)}: ${size(bytes)}, ${how}. Index ${index}${when}${by}.`;
}

function prefixRows({ prefixes }: Snapshot): string[][] {
  return prefixes.map(({ prefix, keys, bytes }) => [prefix, String(keys), size(bytes)]);
}

function serviceRows({ services }: Snapshot): string[][] {
  return services.map(({ service, instances, nodes }) => [
    service,
    String(instances),
    nodes === undefined ? '' : String(nodes),
  ]);
}

function table(
  title: string,
  open: boolean,
  { columns, noun }: typeof PREFIXES,
  rows: string[][],
): Section[] {
  if (rows.length === 0) return [];
  const line = columns.map((_, index) => (index === 0 ? ':--' : '--:')).join('|');
  const details = open ? '<details open>' : '<details>';
  const head = `${details}<summary>${title}</summary>\n\n| ${columns.join(' | ')} |\n|${line}|\n`;
  const cells = rows.map(([name = '', ...numbers]) => `| ${[code(name), ...numbers].join(' | ')} |`);
  return [{ head, rows: cells, tail: '\n</details>\n\n', noun, rank: 2 }];
}
