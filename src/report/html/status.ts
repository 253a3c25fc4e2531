import { type Markup, markup } from './markup.ts';

/** Each has a shape of its own: nothing is told by colour alone. */
const SHAPES = {
  passed: markup`<circle cx="8" cy="8" r="7"/><path d="M4.8 8.3l2.2 2.2 4.3-4.8"/>`,
  failed: markup`<circle cx="8" cy="8" r="7"/><path d="M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2"/>`,
  pending: markup`<circle cx="8" cy="8" r="7"/><path d="M8 4.4V8l2.4 1.6"/>`,
  warning: markup`<path d="M8 1.6L15 14H1z"/><path d="M8 6.2v3.6m0 1.9v.3"/>`,
  skipped: markup`<circle cx="8" cy="8" r="7"/><path d="M5 8h6"/>`,
} as const;

export type Status = keyof typeof SHAPES;

const WORD: Record<Status, string> = {
  passed: 'passed',
  failed: 'failed',
  pending: 'still open',
  warning: 'warning',
  skipped: 'skipped',
};

/** The shapes, once for the whole page. */
export function shapes(): Markup {
  const symbols = Object.entries(SHAPES).map(
    ([name, shape]) => markup`<symbol id="shape-${name}" viewBox="0 0 16 16">${shape}</symbol>`,
  );
  return markup`<svg class="shapes" width="0" height="0" aria-hidden="true">${symbols}</svg>\n`;
}

/** The shape alone, where a word says the same beside it. */
export function icon(status: Status): Markup {
  return markup`<svg class="icon ${status}" width="16" height="16" aria-hidden="true"><use href="#shape-${status}"/></svg>`;
}

/** @param word where another one fits better than that of a check */
export function badge(status: Status, word = WORD[status]): Markup {
  return markup`<span class="badge ${status}">${icon(status)}${word}</span>`;
}
