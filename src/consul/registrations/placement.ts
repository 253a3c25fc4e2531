/**
 * The names among which this id is to live, the best first: rendezvous hashing, so that ids spread evenly, every run
 * chooses the same, and a name that comes or goes moves only what is its own.
 * https://en.wikipedia.org/wiki/Rendezvous_hashing
 * @param most how many of them
 */
export function places(id: string, names: readonly string[], most: number): string[] {
  const own = hash(id);
  const scored = names.map((name) => ({ name, score: mixed(own ^ hash(name)) }));
  scored.sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1));
  return scored.slice(0, most).map(({ name }) => name);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value;
}

/** The last step of MurmurHash3: names that differ in one letter come out far apart. */
function mixed(value: number): number {
  let mixing = value;
  mixing = Math.imul(mixing ^ (mixing >>> 16), 0x85ebca6b);
  mixing = Math.imul(mixing ^ (mixing >>> 13), 0xc2b2ae35);
  return (mixing ^ (mixing >>> 16)) >>> 0;
}
