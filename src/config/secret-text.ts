/** What HCL assigns to a key: one string, or those of a list. */
export interface Assignment {
  key: string;
  values: string[];
  /** The block around it, where that is known. */
  block?: string;
}

const STRING = '"((?:[^"\\\\\\n]|\\\\.)*)"';
const KEY = '(?:"([^"\\n]{1,80})"|([A-Za-z_][\\w-]*))';

/** `key = "text"`, `"key": "text"`, `key = <<EOF`, `key = ["text"]` */
const ASSIGNMENT = new RegExp(
  `${KEY}[ \\t]*[=:]\\s*(?:${STRING}|<<-?[ \\t]*(\\w+)[ \\t]*\\r?\\n([\\s\\S]*?)\\n[ \\t]*\\4\\b|\\[([^\\]{}]*)\\])`,
  'g',
);
/** `key {` and `key = {`, up to the first brace that closes */
const BLOCK = new RegExp(`${KEY}\\s*[=:]?\\s*\\{([^{}]*)\\}`, 'g');
/** `key=text` without quotes: arguments of a command, and of cloud auto-join */
const BARE = /([A-Za-z][\w.-]*)=([^\s"'`,;&<>{}[\]\\]+)/g;

/** Not a parser of HCL: it finds what looks like an assignment, also in text that Consul would refuse. */
export function assignments(text: string): Assignment[] {
  const blocks = [...text.matchAll(BLOCK)].flatMap(([, quoted, word, body = '']) =>
    plainAssignments(body).map((found) => ({ ...found, block: quoted ?? word ?? '' })),
  );
  return [...plainAssignments(text), ...blocks];
}

function plainAssignments(text: string): Assignment[] {
  return [...text.matchAll(ASSIGNMENT)].map(([, quoted, word, string, , heredoc, list]) => ({
    key: quoted ?? word ?? '',
    values: [
      ...(string === undefined ? [] : [unescaped(string)]),
      ...(heredoc === undefined ? [] : [withoutIndentation(heredoc)]),
      ...[...(list ?? '').matchAll(new RegExp(STRING, 'g'))].map(([, entry = '']) => unescaped(entry)),
    ],
  }));
}

export function bareAssignments(text: string): { key: string; value: string }[] {
  return [...text.matchAll(BARE)].map(([, key = '', value = '']) => ({ key, value }));
}

/** Private keys in PEM, their line ends escaped or not: each whole and by its lines, since a log is read by lines. */
export function privateKeys(text: string): string[] {
  const blocks = text
    .replaceAll('\\n', '\n')
    .match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g);
  return (blocks ?? []).flatMap((block) => [
    withoutIndentation(block),
    ...block
      .split(/\s*\n\s*/)
      // The header is no secret, and neither is the short rest of the last line.
      .filter((line) => line.length >= 16 && !line.startsWith('-----')),
  ]);
}

function withoutIndentation(text: string): string {
  return text.replace(/^[ \t]+/gm, '').trim();
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}
