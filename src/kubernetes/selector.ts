/** Labels or fields as a query selects by them: `app=consul,consul-role=server`. */
export function selector(wanted: Readonly<Record<string, string>>): string {
  return Object.entries(wanted)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
