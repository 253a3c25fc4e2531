import picomatch from 'picomatch';

/** `*` matches slashes too, so that `*production*` is enough for a URL. */
const OPTIONS = { bash: true };

/**
 * Why this is not the cluster that the glob names; undefined where it is. A glob that names a cluster has to match the
 * URL, its host or the context. One that rules clusters out (`!*prod*`) has to match all of them: the URL of a production
 * cluster often says nothing of production.
 */
export function clusterMismatch(
  glob: string,
  server: string,
  context: string | undefined,
): string | undefined {
  const isMatch = picomatch(glob, OPTIONS);
  const matches = (text: string) => isMatch(text);
  const { host } = new URL(server);
  const names = [
    { what: `the API server ${server}`, texts: [server, host] },
    { what: `the context ${context}`, texts: context === undefined ? [] : [context] },
  ];
  if (!rulesOut(glob)) {
    if (names.some(({ texts }) => texts.some(matches))) return undefined;
    return `"${glob}" matches neither the API server ${server} nor the context ${context ?? '(none)'}`;
  }
  const ruledOut = names.filter(({ texts }) => !texts.every(matches)).map(({ what }) => what);
  return ruledOut.length === 0 ? undefined : `"${glob}" rules out ${ruledOut.join(' and ')}`;
}

/** What the types of picomatch leave out. */
interface ParseState {
  negated?: boolean;
  negatedExtglob?: boolean;
}

/** Written `!glob`, or `!(glob)`. */
function rulesOut(glob: string): boolean {
  const { negated, negatedExtglob } = picomatch.parse(glob) as ParseState;
  return negated === true || negatedExtglob === true;
}
