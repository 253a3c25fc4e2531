/**
 * Looks up a field path as server-side apply writes it, such as
 * `.spec.template.spec.containers[name="consul"].image`; undefined when there is nothing. Keys are written
 * without quotes even if they hold dots (`.metadata.annotations.example.com/a`), so the object decides
 * where a key ends.
 */
export function fieldAt(value: unknown, path: string): unknown {
  if (path === '') return value;
  if (path.startsWith('[')) {
    const end = selectorEnd(path);
    return Array.isArray(value) && end > 0
      ? fieldAt(element(value, path.slice(1, end)), path.slice(end + 1))
      : undefined;
  }
  if (!path.startsWith('.') || typeof value !== 'object' || value === null) return undefined;
  const rest = path.slice(1);
  const keys = Object.keys(value).filter(
    (key) => rest.startsWith(key) && /^($|[.[])/.test(rest.slice(key.length)),
  );
  for (const key of keys) {
    const found = fieldAt((value as Record<string, unknown>)[key], rest.slice(key.length));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where the bracket that opens the path closes; brackets inside strings do not count. */
function selectorEnd(path: string): number {
  const match = /^\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]/.exec(path);
  return match ? match[0].length - 1 : -1;
}

/** `0` is an index, `="x"` a member of a set, `a="x",b=1` the keys of an element. */
function element(list: readonly unknown[], selector: string): unknown {
  if (/^\d+$/.test(selector)) return list[Number(selector)];
  const keys = [...selector.matchAll(/([^=,]*)=("(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)/g)].map(
    ([, key = '', json = '']) => [key, parse(json)] as const,
  );
  return list.find((item) =>
    keys.every(([key, wanted]) =>
      key === '' ? item === wanted : (item as Record<string, unknown> | null)?.[key] === wanted,
    ),
  );
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
