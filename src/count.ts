/** `1 voter`, `3 voters`. @param plural of a noun that does not take an s */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
