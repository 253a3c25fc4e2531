import { joinWithin, type Section } from '../section/section.ts';
import { type Content, type Markup, markup } from './markup.ts';

/** A part of the page with a heading; its rows may be cut. */
export interface Part {
  /** Its anchor. */
  id: string;
  title: string;
  head?: Content;
  rows?: readonly Markup[];
  /** How many more there are, of which none was made. */
  left?: number;
  tail?: Content;
  /** What a row is, in plural. */
  noun?: string;
  /** Who gets room first: 0 before 1. */
  rank?: number;
}

/** More rows of one kind nobody reads; the JSON report has them all. */
const MOST_ROWS = 100;

/** Rows of the first of many; no time is spent on the others. */
export function rowsOf<Item>(
  items: readonly Item[],
  row: (item: Item, index: number) => Markup,
): { rows: Markup[]; left: number } {
  const first = items.slice(0, MOST_ROWS);
  return { rows: first.map(row), left: items.length - first.length };
}

/** The parts, in the order given, in at most `max` bytes of UTF-8; says what it cut. */
export function joinParts(parts: readonly Part[], max: number): string {
  return joinWithin(
    parts.flatMap(sections),
    max,
    (cut, noun) => `${markup`<p class="rest">${cut} more ${noun} not shown here.</p>\n`}`,
  );
}

/** The end is a section of its own, so that the note on what was cut stands within the part. */
function sections({
  id,
  title,
  head,
  rows = [],
  left = 0,
  tail,
  noun = 'rows are',
  rank = 0,
}: Part): Section[] {
  return [
    {
      head: `${markup`<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${title}</h2>\n${head}`}`,
      rows: rows.map((row) => row.toString().trimEnd()),
      tail: `${markup`${tail}`}`,
      noun,
      rank,
      left,
    },
    { head: '</section>\n', rows: [], tail: '', noun, rank },
  ];
}

/** Links to the parts. */
export function contents(parts: readonly Part[]): Markup {
  const links = parts.map(({ id, title }) => {
    // What is counted behind it is told there.
    const [name = ''] = title.split(':');
    return markup`<li><a href="#${id}">${name}</a></li>`;
  });
  return markup`<nav aria-label="On this page"><ul>${links}</ul></nav>\n`;
}
