/** Leads from an object to one of its values: keys of maps and indexes of lists. */
type Route = readonly (string | number)[];

/**
 * Looks up a field path as server-side apply writes it, such as
 * `.spec.template.spec.containers[name="consul"].image`; undefined when there is nothing. Keys are written
 * without quotes even if they hold dots (`.metadata.annotations.example.com/a`), so the object decides
 * where a key ends.
 */
export function fieldAt(value: unknown, path: string): unknown {
  const route = routeTo(value, path);
  return route && follow(value, route);
}

/** The object without that field; the same object when it has none. */
export function withoutField<T extends object>(object: T, path: string): T {
  const route = routeTo(object, path);
  const last = route?.at(-1);
  if (!route || last === undefined) return object;
  const copy = structuredClone(object);
  const parent = follow(copy, route.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
  return copy;
}

function follow(value: unknown, route: Route): unknown {
  return route.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value);
}

function routeTo(value: unknown, path: string): Route | undefined {
  if (path === '') return value === undefined ? undefined : [];
  if (path.startsWith('[')) {
    const end = selectorEnd(path);
    if (!Array.isArray(value) || end <= 0) return undefined;
    const index = elementIndex(value, path.slice(1, end));
    const route = index < 0 ? undefined : routeTo(value[index], path.slice(end + 1));
    return route && [index, ...route];
  }
  if (!path.startsWith('.') || typeof value !== 'object' || value === null) return undefined;
  const rest = path.slice(1);
  const keys = Object.keys(value).filter(
    (key) => rest.startsWith(key) && /^($|[.[])/.test(rest.slice(key.length)),
  );
  for (const key of keys) {
    const route = routeTo((value as Record<string, unknown>)[key], rest.slice(key.length));
    if (route) return [key, ...route];
  }
  return undefined;
}

/** Where the bracket that opens the path closes; brackets inside strings do not count. */
function selectorEnd(path: string): number {
  const match = /^\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]/.exec(path);
  return match ? match[0].length - 1 : -1;
}

/** `0` is an index, `="x"` a member of a set, `a="x",b=1` the keys of an element. */
function elementIndex(list: readonly unknown[], selector: string): number {
  if (/^\d+$/.test(selector)) return Number(selector) < list.length ? Number(selector) : -1;
  const keys = [...selector.matchAll(/([^=,]*)=("(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)/gy)].map(
    ([, key = '', json = '']) => [key, parse(json)] as const,
  );
  return list.findIndex((item) =>
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
