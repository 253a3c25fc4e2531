import { type Content, type Markup, markup } from './markup.ts';
import { rowsOf } from './part.ts';

export interface Column {
  title: string;
  /** How it looks: figures stand right, code is in a fixed width. */
  kind?: 'figure' | 'code' | 'wide';
}

/** The rows apart, so that they may be cut. */
export interface Table {
  head: Markup;
  rows: Markup[];
  left: number;
  tail: Markup;
}

/**
 * A table that becomes a list of cards on a narrow screen. It says its roles, since a browser forgets them for
 * cells that are not laid out as a table: https://adrianroselli.com/2018/02/tables-css-display-properties-and-aria.html
 */
export function table<Item>(
  caption: string,
  columns: readonly Column[],
  items: readonly Item[],
  cells: (item: Item) => readonly Content[],
): Table {
  const titles = columns.map(
    ({ title, kind = '' }) => markup`<th role="columnheader" scope="col" class="${kind}">${title}</th>`,
  );
  return {
    head: markup`<table role="table"><caption>${caption}</caption><thead role="rowgroup"><tr role="row">${titles}</tr></thead><tbody role="rowgroup">\n`,
    ...rowsOf(items, (item) => row(columns, cells(item))),
    tail: markup`</tbody></table>\n`,
  };
}

/** The whole of it, where it is known to be short. */
export function shortTable(
  caption: string,
  columns: readonly Column[],
  cells: readonly (readonly Content[])[],
): Markup {
  const { head, rows, tail } = table(caption, columns, cells, (row) => row);
  return markup`${head}${rows}${tail}`;
}

function row(columns: readonly Column[], cells: readonly Content[]): Markup {
  const [first, ...others] = cells;
  const rest = others.map((cell, index) => {
    const { title = '', kind = '' } = columns[index + 1] ?? {};
    return markup`<td role="cell" class="${kind}" data-title="${title}">${cell}</td>`;
  });
  const { kind = '' } = columns[0] ?? {};
  return markup`<tr role="row"><th role="rowheader" scope="row" class="${kind}">${first}</th>${rest}</tr>\n`;
}
