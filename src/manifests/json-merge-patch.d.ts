declare module 'json-merge-patch' {
  /** RFC 7386. Changes and returns `target`. */
  function apply(target: unknown, patch: unknown): unknown;
  export default { apply };
}
