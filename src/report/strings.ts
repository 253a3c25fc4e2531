/**
 * A JSON value with `change` made to each string of it; its keys stay.
 * @param except keys whose strings stay, too
 */
export function mapStrings<T>(
  value: T,
  change: (text: string) => string,
  except: ReadonlySet<string> = new Set(),
): T {
  const map = (part: unknown): unknown => {
    if (typeof part === 'string') return change(part);
    if (Array.isArray(part)) return part.map(map);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, entry]) => [
        key,
        except.has(key) && typeof entry === 'string' ? entry : map(entry),
      ]),
    );
  };
  return map(value) as T;
}
