import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** By how a line of the log begins. Text from the cluster stands behind a time or in a column, and takes its colour from there. */
const LINES: [RegExp, Format][] = [
  [/^▸ .*/, 'bold'],
  [/^✓ .*/, ['green', 'bold']],
  [/^✗ .*/, ['red', 'bold']],
  [/^■ .*/, ['yellow', 'bold']],
  [/(?<=^ {2})✓(?= )/, 'green'],
  [/(?<=^ {2})✗(?= )/, 'red'],
  [/(?<=^ {2})[…!](?= )/, 'yellow'],
  [/(?<=^ {2})(?:Cause|Where|What to do|Help|Evidence|Manifests|Objects|UI|Left as)(?= {2})/, 'bold'],
  [/(?<=^ *\+[0-9.]{1,9} s {2})warning: .*/, 'yellow'],
  [/^ *\+[0-9.]{1,9} s(?= )/, 'dim'],
];

/** A line of the log in colours. */
export function colour(line: string): string {
  return LINES.reduce(
    (text, [pattern, format]) =>
      text.replace(pattern, (found) => styleText(format, found, { validateStream: false })),
    line,
  );
}

/** By NO_COLOR and FORCE_COLOR, and whether it is a terminal, as Node.js judges it. */
export function takesColour(stream: NodeJS.WriteStream): boolean {
  return styleText('bold', 'x', { stream }) !== 'x';
}
