/** `key=text` without quotes: arguments of a command, and of cloud auto-join */
const BARE = /(?<![\w.-])([\w.-]+)=([^\s"'`,;&<>{}[\]\\]+)/g;

export function bareAssignments(text: string): { key: string; value: string }[] {
  return [...text.matchAll(BARE)].map(([, key = '', value = '']) => ({ key, value }));
}
