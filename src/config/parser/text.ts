import picomatch from 'picomatch';
import { type Parser, parser } from './parser.ts';

/** Line breaks and other control characters, which no name, path or command has. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Any text of one line. */
export function line(allowed: string): Parser<string> {
  return parser(`${allowed}, in one line`, (text, refuse) => (CONTROL.test(text) ? refuse() : text));
}

/** A glob without white space that the matching library can compile: no empty one, and not `{..+(|})(`. */
export function isGlob(text: string): boolean {
  if (text.length > 1000 || /\s/.test(text) || CONTROL.test(text)) return false;
  try {
    picomatch(text);
    return true;
  } catch {
    return false;
  }
}

export const glob: Parser<string> = parser('a glob such as *staging*', (text, refuse) =>
  isGlob(text) ? text : refuse(),
);

export const planDigest: Parser<string> = parser(
  'the output plan-digest of a plan (sha256: and 64 hexadecimal digits)',
  (text, refuse) => (/^sha256:[0-9a-f]{64}$/.test(text) ? text : refuse()),
);

/** A glob of `Kind/name:field.path`, such as `StatefulSet/consul-client:.spec.replicas`. */
export function isFieldGlob(text: string): boolean {
  return isGlob(text) && /^[^/:]+\/[^/]+:./.test(text);
}

/** A glob of `Kind/name`, such as `StatefulSet/consul-server`. */
export function isObjectGlob(text: string): boolean {
  return isGlob(text) && /^[^/:!][^/:]*\/[^/:]+$/.test(text);
}

/** The id of a service that may be deregistered: the leader itself keeps that of Consul. */
export function isServiceId(text: string): boolean {
  return text.length <= 512 && text !== 'consul' && !CONTROL.test(text);
}
