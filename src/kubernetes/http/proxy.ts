import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * The proxy that the environment names for a URL, or undefined. Lower case wins over upper case, as in
 * curl; an empty variable says nothing, and this machine itself is never behind a proxy, as in Go. NO_PROXY takes host names, domains, addresses, CIDRs and `*`, as in Go's clients
 * (https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config), since that is what cluster tools are given.
 */
export function environmentProxy(url: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const proxy = protocol === 'https:' ? env.https_proxy || env.HTTPS_PROXY : env.http_proxy || env.HTTP_PROXY;
  if (!proxy) return undefined;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isLoopback(host)) return undefined;
  const defaultPort = protocol === 'https:' ? '443' : '80';
  const exceptions = (env.no_proxy || env.NO_PROXY || '').split(/[\s,]+/).filter((item) => item !== '');
  if (exceptions.some((item) => covers(item.toLowerCase(), host, port || defaultPort))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  // An IPv4 address that is written as IPv6 is found by the rule for IPv4.
  return host === 'localhost' || (isIP(host) !== 0 && LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4'));
}

function covers(exception: string, host: string, port: string): boolean {
  if (exception === '*') return true;
  if (isIP(host) !== 0 && exception.includes('/')) return inNetwork(exception, host);
  const [, name = exception, only] =
    /^\[?([^[\]]+?)\]?(?::(\d+))?$/.exec(isIPv6(exception) ? '' : exception) ?? [];
  if (only !== undefined && only !== port) return false;
  const domain = name.replace(/^\*?\./, '');
  const isSubdomain = isIP(host) === 0 && host.endsWith(`.${domain}`);
  return isSubdomain || (host === domain && !name.startsWith('*.'));
}

function inNetwork(cidr: string, host: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/');
  if (isIP(network) === 0 || isIP(network) !== isIP(host)) return false;
  const family = isIPv6(network) ? 'ipv6' : 'ipv4';
  const bits = Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === 'ipv6' ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}
