/**
 * Pins this action by the commit of a release, with the version in a comment, wherever README, docs and examples use it.
 * Run it on main after a release: a commit cannot name itself.
 *
 *   node script/pin.ts 0.1.0
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';

/** Files with something to paste. */
export const PASTED = ['README.md', 'docs/**/*.md', 'examples/*.yml'];

/** `uses: org/consul-deploy@` and what may follow: a tag or a commit; then a comment. */
const USE = /(\buses: org\/consul-deploy@)(?:v[\d.]+|[0-9a-f]{40})(?: #.*)?$/gm;

export function pinned(text: string, version: string, commit: string): string {
  return text.replace(USE, (_, use: string) => `${use}${commit} # v${version}`);
}

function main(): void {
  const [version = ''] = process.argv.slice(2);
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error('usage: node script/pin.ts VERSION, such as 0.1.0');
  const commit = execFileSync('git', ['rev-parse', `v${version}^{commit}`], { encoding: 'utf8' }).trim();
  for (const file of globSync(PASTED)) {
    const before = readFileSync(file, 'utf8');
    const after = pinned(before, version, commit);
    if (after !== before) writeFileSync(file, after);
  }
}

if (import.meta.main) main();
