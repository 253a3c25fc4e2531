import { count } from './count.ts';
import { code } from './escape.ts';
import type { Result } from './result.ts';
import type { Section } from './section.ts';

/** What is in the snapshot that was taken: names only, never values. */
export function snapshotSections({ snapshot }: Result): Section[] {
  if (!snapshot) return [];
  const { prefixes, services, counts, path } = snapshot;
  const named = (name: string) => code(name);
  return [
    {
      head: `### Snapshot\n\nIn ${code(path)}, ${size(snapshot.bytes)}.\n\n`,
      rows: [],
      tail: '',
      noun: '',
      rank: 0,
    },
    ...table(`${count(counts.keys ?? 0, 'key')} by prefix`, 'Prefix | Keys | Values', 'prefixes are', [
      ...prefixes.map(({ prefix, keys, bytes }) => `${named(prefix)} | ${keys} | ${size(bytes)}`),
    ]),
    ...table(
      `${count(counts.services ?? 0, 'registered service')} by name`,
      'Service | Instances',
      'services are',
      [...services.map(({ service, instances }) => `${named(service)} | ${instances}`)],
    ),
  ];
}

function table(title: string, columns: string, noun: string, rows: string[]): Section[] {
  if (rows.length === 0) return [];
  const line = columns
    .split(' | ')
    .map((_, index) => (index === 0 ? ':--' : '--:'))
    .join('|');
  const head = `<details><summary>${title}</summary>\n\n| ${columns} |\n|${line}|\n`;
  return [{ head, rows: rows.map((row) => `| ${row} |`), tail: '\n</details>\n\n', noun, rank: 2 }];
}

/** `12.3 KiB` */
export function size(bytes: number): string {
  if (bytes < 1024) return count(bytes, 'byte');
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), 3);
  return `${(bytes / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB'][power]}`;
}
