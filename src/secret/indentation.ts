/** Each line without the blanks before it. */
export function withoutIndentation(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimStart())
    .join('\n');
}
