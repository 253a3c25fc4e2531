/** Cleaning costs time for each character, and a hostile message may have megabytes. */
const MAX_CHARS = 64 * 1024;
const ZERO_WIDTH_SPACE = '&#8203;';

const ESC = String.fromCharCode(0x1b);
const BEL = String.fromCharCode(0x07);
/**
 * Control sequences, terminated strings (titles, hyperlinks) and two-character escapes of ECMA-48. Takes linear
 * time, as no part runs past the next ESC; node:util's pattern needs seconds for an unterminated string.
 * https://ecma-international.org/publications-and-standards/standards/ecma-48/
 */
const TERMINAL = new RegExp(
  [
    `(?:${ESC}\\[|\u009b)[0-?]*[ -/]*[@-~]`,
    `${ESC}[\\]PX^_][^${ESC}${BEL}\n]*(?:${BEL}|${ESC}\\\\)`,
    `${ESC}[ -/]*[0-~]`,
  ].join('|'),
  'g',
);

/** Cuts to at most `max` UTF-16 units, the ellipsis included, never through a character. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 2);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return `${text.slice(0, splitsPair ? max - 2 : max - 1)}…`;
}

/** Cuts to at most `max` bytes of UTF-8, never through a character. */
export function capBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text;
  // encodeInto stops before the first character that does not fit as a whole.
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(max)).read);
}

/**
 * Untrusted text without terminal sequences, control characters, lone surrogates, and characters nobody sees
 * (the runner's culture-aware search looks through those: `:<U+200B>:` would be `::` to it). Lines end in `\n`.
 */
export function plain(text: string): string {
  return clip(text, MAX_CHARS)
    .toWellFormed()
    .replace(TERMINAL, '')
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(/\t/g, ' ')
    .replace(/(?!\n)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
}

/** `plain`, on one line of at most `max` UTF-16 units. */
export function oneLine(text: string, max: number): string {
  return clip(plain(text).replace(/\s+/g, ' ').trim(), max);
}

/** For HTML text, such as inside `<pre>`, where Markdown is not read. Keeps line ends. */
export function html(text: string): string {
  return plain(text).replace(/[&<>"']/g, entity);
}

/**
 * For Markdown prose and table cells: one line without markup, links, @mentions or #references. An entity
 * stops Markdown; mentions and bare links are found after it, so those are broken by a zero-width space.
 */
export function markdown(text: string, max = 500): string {
  return oneLine(text, max).replace(/[&<>`|*_~[\]\\$]|[@#](?=\w)|:(?=\/\/)|www(?=\.)/gi, (found) =>
    /^[@#:w]/i.test(found) ? `${found}${ZERO_WIDTH_SPACE}` : entity(found),
  );
}

/** A code span, in a table too. Names, addresses and image references stay as they are, fit to be copied. */
export function code(text: string, max = 500): string {
  const line = oneLine(text, max);
  return /^[\w./:@+=,()-]+$/.test(line) ? `\`${line}\`` : `<code>${markdown(line, max)}</code>`;
}

/** A fenced code block that nothing in `text` can close. */
export function fence(text: string, language: string): string {
  const clean = plain(text);
  const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}${language}\n${clean}\n${ticks}`;
}

/**
 * Untrusted text for the log: no line of it is a command to the runner, which takes `::name::` at the start
 * of a line and `##[name]` anywhere in one.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function logSafe(text: string): string {
  return plain(text)
    .replace(/##\[/g, '## [')
    .replace(/^([^\S\r\n\u2028\u2029]*):(?=:)/gm, '$1: ');
}

/** A command to the runner, such as `::error title=Voters::2 of 3`, on one line whatever it carries. */
export function workflowCommand(name: string, properties: Record<string, string>, message: string): string {
  const list = Object.entries(properties).map(
    ([key, value]) =>
      `${key}=${percent(oneLine(value, MAX_CHARS)).replace(/:/g, '%3A').replace(/,/g, '%2C')}`,
  );
  return `::${[name, list.join(',')].filter(Boolean).join(' ')}::${percent(logSafe(message))}`;
}

function percent(text: string): string {
  return text.replace(/%/g, '%25').replace(/\n/g, '%0A');
}

function entity(character: string): string {
  return `&#${character.charCodeAt(0)};`;
}
