import { count } from '../../count.ts';
import type { Result } from '../result.ts';
import { differenceHeadline, differenceRows } from '../section/difference.ts';
import { size } from '../size.ts';
import { type Content, line, type Markup, markup, moment } from './markup.ts';
import type { Part } from './part.ts';
import { shortTable, table } from './table.ts';

/** What is in the snapshot: names, never values. */
export function snapshot({ snapshot: found }: Result): Part[] {
  if (!found) return [];
  const { path, bytes, encrypted, stale, takenAt, counts, prefixes, services } = found;
  const kept = encrypted ? 'encrypted' : 'in plaintext';
  const when = takenAt !== undefined && markup` Taken at ${moment(line(takenAt, 40))}.`;
  const old = stale && ' Taken without a leader: the last writes may be missing.';
  return [
    {
      id: 'snapshot',
      title: 'Snapshot',
      head: markup`<p>In <code>${line(path, 1000)}</code>, ${size(bytes)}, ${kept}.${when}${old}</p>\n${[
        folded(
          `${count(counts.keys ?? 0, 'key')} by prefix`,
          ['Prefix', 'Keys', 'Values'],
          [...prefixes.map(({ prefix, keys, bytes }) => [line(prefix, 200), keys, size(bytes)])],
        ),
        folded(
          `${count(counts.services ?? 0, 'registered service')} by name`,
          ['Service', 'Instances', 'Nodes'],
          [...services.map(({ service, instances, nodes }) => [line(service, 200), instances, nodes ?? ''])],
        ),
      ]}`,
    },
  ];
}

/** In what a snapshot differs from what it was compared with. */
export function difference({ difference: found }: Result): Part[] {
  if (!found) return [];
  const named = differenceRows(found);
  return [
    {
      id: 'difference',
      title: `Difference: ${differenceHeadline(found)}`,
      ...(named.length > 0 &&
        table(
          'What differs, by name.',
          [{ title: 'Kind' }, { title: 'Where' }, { title: 'Name', kind: 'code' }],
          named,
          (cells) => cells.map((cell) => line(cell, 300)),
        )),
      noun: 'differences are',
      rank: 1,
    },
  ];
}

function folded(title: string, [name = '', ...figures]: string[], rows: Content[][]): Markup | undefined {
  if (rows.length === 0) return undefined;
  const columns = [
    { title: name, kind: 'code' } as const,
    ...figures.map((figure) => ({ title: figure, kind: 'figure' }) as const),
  ];
  return markup`<details><summary>${title}</summary>${shortTable(title, columns, rows)}</details>\n`;
}
