import { withoutIndentation } from './indentation.ts';

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const LONGEST_HEADER = 80;

/** Private keys in PEM, their line ends escaped or not: each whole and by its lines, since a log is read by lines. */
export function privateKeys(text: string): string[] {
  if (!text.includes(BEGIN)) return [];
  return keyBlocks(text.replaceAll('\\n', '\n')).flatMap((block) => [
    withoutIndentation(block),
    ...block
      .split('\n')
      .map((line) => line.trim())
      // The header is no secret, and neither is the short rest of the last line.
      .filter((line) => line.length >= 16 && !line.startsWith('-----')),
  ]);
}

function keyBlocks(text: string): string[] {
  const found: string[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    const start = at;
    at += BEGIN.length;
    if (!/^[A-Z0-9 ]{0,40}PRIVATE KEY-----/.test(text.slice(at, at + LONGEST_HEADER))) continue;
    const end = text.indexOf(END, at);
    // Without an end, none of those that follow has one.
    if (end < 0) break;
    const dashes = text.slice(end + END.length, end + LONGEST_HEADER).indexOf('-----');
    at = end + END.length + (dashes < 0 ? 0 : dashes + 5);
    found.push(text.slice(start, at));
  }
  return found;
}
