declare module 'json-merge-patch' {
  /** RFC 7386. Changes and returns `target`. */
  function apply(target: unknown, patch: unknown): unknown;
  /** What makes `after` of `before`; undefined where they are the same. */
  function generate(before: unknown, after: unknown): unknown;
  export default { apply, generate };
}
