import type { KubeconfigSource } from '../config.ts';
import { type Parser, parser } from './parser.ts';
import { readYaml } from './yaml.ts';

const ALLOWED = 'a path to a kubeconfig, or a kubeconfig as one line of base64';

/** Longer than any sensible path: text of base64 beyond this is meant as a kubeconfig. */
const LONGEST_PATH = 512;

/** Mistakes never repeat what was given. */
export const kubeconfig: Parser<KubeconfigSource> = parser(ALLOWED, (text, refuse) => {
  if (text === '') return { kind: 'default' };
  if (/[\r\n]/.test(text)) {
    return refuse({
      hint:
        'GitHub masks a secret of several lines line by line, which mangles logs and drops outputs: ' +
        'pass a path, or one line made by `base64 -w0`',
    });
  }
  if (/^\{|^apiVersion:/.test(text)) {
    return refuse({ hint: 'this is the kubeconfig itself: pass a path, or encode it with `base64 -w0`' });
  }
  const yaml = decode(text);
  if (yaml !== undefined) {
    if (hasClusters(yaml)) return { kind: 'inline', yaml };
    if (text.length > LONGEST_PATH)
      return refuse({ hint: 'this base64 does not decode to a kubeconfig: YAML with `clusters:`' });
  }
  // No path holds a control character; NUL would make every call to the file system throw.
  if (/\p{Cc}/u.test(text) || text.length > 4096) return refuse();
  return { kind: 'path', path: text };
});

/** The UTF-8 text that base64 stands for; `undefined` where it is not base64, or not of text. */
function decode(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

function hasClusters(text: string): boolean {
  const read = readYaml(text, { anyNumber: true });
  const document = 'documents' in read ? read.documents[0] : undefined;
  return typeof document === 'object' && document !== null && 'clusters' in document;
}
