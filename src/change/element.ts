/** One step into an object, as FieldsV1 names it: `f:spec`, `k:{"name":"consul"}`, `v:"a"`, `i:0`. */
export interface Element {
  /** As server-side apply writes it in a path: `.spec`, `[name="consul"]`, `[="a"]`, `[0]`. */
  text: string;
  /** The name of the field; of an element of a list nothing. */
  key: string;
  /** What is there; undefined when nothing is. */
  of: (container: unknown) => unknown;
}

/** https://github.com/kubernetes-sigs/structured-merge-diff/blob/master/fieldpath/serialize-pe.go */
export function element(name: string): Element | undefined {
  const rest = name.slice(2);
  switch (name.slice(0, 2)) {
    case 'f:':
      return { text: `.${rest}`, key: rest, of: (container) => field(container, rest) };
    case 'k:':
      return listElement(rest);
    case 'v:': {
      const value = parsed(rest);
      return { text: `[=${rest}]`, key: '', of: (list) => entries(list).find((one) => one === value) };
    }
    case 'i:':
      return { text: `[${rest}]`, key: '', of: (list) => entries(list)[Number(rest)] };
    default:
      return undefined;
  }
}

function listElement(json: string): Element | undefined {
  const keys = parsed(json);
  if (typeof keys !== 'object' || keys === null) return undefined;
  const pairs = Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    text: `[${pairs.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`,
    key: '',
    of: (list) => entries(list).find((one) => pairs.every(([key, value]) => field(one, key) === value)),
  };
}

function field(container: unknown, key: string): unknown {
  if (typeof container !== 'object' || container === null || Array.isArray(container)) return undefined;
  const value = Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined;
  return value ?? undefined;
}

function entries(list: unknown): unknown[] {
  return Array.isArray(list) ? list : [];
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
