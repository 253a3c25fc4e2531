import { html, logSafe, oneLine } from '../escape.ts';

/** HTML that is safe as it stands. Made by `markup` alone, so that no text can pass for it. */
export class Markup {
  readonly #html: string;

  constructor(html: string, by: typeof MADE_HERE) {
    if (by !== MADE_HERE) throw new TypeError('only `markup` makes markup');
    this.#html = html;
  }

  toString(): string {
    return this.#html;
  }
}

const MADE_HERE = Symbol('made by markup');

/** What may stand in a template; undefined and false are nothing. */
export type Content = Markup | string | number | undefined | false | readonly Content[];

/**
 * HTML from a template: every text put into it is escaped for where it may stand, in an element or in a quoted
 * attribute. An attribute has to have double quotes around it in the template.
 */
export function markup(template: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(String.raw({ raw: template }, ...contents.map(asHtml)), MADE_HERE);
}

/** They are errors in HTML: https://html.spec.whatwg.org/multipage/parsing.html#preprocessing-the-input-stream */
const NO_CHARACTER = /\p{Noncharacter_Code_Point}/gu;

/** Also no command to a runner: a later step may print the page. */
function asHtml(content: Content): string {
  if (content === undefined || content === false) return '';
  if (content instanceof Markup) return content.toString();
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') return html(logSafe(content)).replace(NO_CHARACTER, '');
  return content.map(asHtml).join('');
}

/** On one line of at most so many characters. */
export function line(text: string, max = 500): string {
  return oneLine(text, max);
}

/** `2026-03-01 10:00 UTC`, fit for machines too. */
export function moment(iso: string): Markup {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/.exec(iso) ?? [];
  if (day === undefined || time === undefined) return markup`${line(iso, 40)}`;
  return markup`<time datetime="${iso}">${day} ${time} UTC</time>`;
}
