import { isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * An upstream DNS server: `8.8.8.8`, `8.8.8.8:53`, `2001:db8::1` or `[2001:db8::1]:53`.
 * Consul refuses the unspecified addresses, and so crash-loops on them.
 */
export function isRecursor(text: string): boolean {
  const [, v6, v4, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  if (v6 !== undefined) return isIPv6(v6) && isSpecified(v6);
  if (v4 !== undefined) return isIPv4(v4) && isSpecified(v4);
  return isIP(text) !== 0 && isSpecified(text);
}

/** Not `0.0.0.0` nor any spelling of `::`, and without a zone, which means nothing to another machine. */
function isSpecified(address: string): boolean {
  return /[1-9a-f]/i.test(address) && !address.includes('%');
}
