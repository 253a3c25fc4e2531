/** The same object, which counts how often this field of it is read: a measure of work that no machine changes. */
export function counting<T extends object>(object: T, field: keyof T, work: { reads: number }): T {
  return new Proxy(object, {
    get(target, key, receiver) {
      if (key === field) work.reads += 1;
      return Reflect.get(target, key, receiver);
    },
  });
}
