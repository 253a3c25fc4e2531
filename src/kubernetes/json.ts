/** Answers are what they say they are only where an API server gave them: these look before anybody relies on it. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects in a list; none where it is no list. */
export function objectsIn<T extends object>(list: readonly T[] | undefined): T[] {
  return Array.isArray(list) ? list.filter((one): one is T => isJsonObject(one)) : [];
}

/** Undefined for what is no text. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Whether all of its fields are text. */
export function areTexts(fields: object): boolean {
  return Object.values(fields).every((value) => typeof value === 'string');
}
