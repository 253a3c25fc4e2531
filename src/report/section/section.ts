/** A part of a document whose rows may be cut; `head` and `tail` never are. */
export interface Section {
  head: string;
  rows: string[];
  tail: string;
  /** Plural, for the note on what was cut. */
  noun: string;
  /** Who gets room first: 0 before 1. */
  rank: number;
  /** How many more rows there are, of which nobody has made any. */
  left?: number;
}

/** A part that is never cut. */
export function fixed(text: string): Section {
  return { head: text, rows: [], tail: '', noun: '', rank: 0 };
}

/** Room for the note of one section. */
const NOTE_BYTES = 120;

/** How what was cut is told, in at most 120 bytes. */
type Note = (cut: number, noun: string) => string;

const markdownNote: Note = (cut, noun) =>
  `\n_${cut} more ${noun} not shown here: a summary has at most 1 MiB._\n`;

/** Joins the sections, in the order given, into at most `max` bytes of UTF-8; says what it cut. */
export function joinWithin(sections: readonly Section[], max: number, note: Note = markdownNote): string {
  const fixed = sections.map(({ head, tail }) => bytes(head) + bytes(tail) + NOTE_BYTES);
  let room = max - fixed.reduce((sum, size) => sum + size, 0);
  const kept = new Map<Section, number>();
  for (const section of sections.toSorted((a, b) => a.rank - b.rank)) {
    let shown = 0;
    for (const row of section.rows) {
      const size = bytes(row) + 1;
      if (size > room) break;
      room -= size;
      shown++;
    }
    // Once something had to be cut, what matters less is not squeezed in behind it.
    if (shown < section.rows.length) room = 0;
    kept.set(section, shown);
  }
  return sections.map((section) => join(section, kept.get(section) ?? 0, note)).join('');
}

function join({ head, rows, tail, noun, left = 0 }: Section, shown: number, note: Note): string {
  const body = rows.slice(0, shown).map((row) => `${row}\n`);
  const cut = rows.length - shown + left;
  return `${head}${body.join('')}${tail}${cut > 0 ? note(cut, noun) : ''}`;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
