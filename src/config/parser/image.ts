import { type Parser, parser } from './parser.ts';

// The grammar of https://github.com/distribution/reference/blob/main/reference.go, except that a host needs a
// dot, a port or to be `localhost`, so that `HashiCorp/consul` is a mistake and not a registry.
const HOST_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = new RegExp(`^(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::\\d{1,5})?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

/** `[host[:port]/]path[:tag][@digest]` */
export function isImage(text: string): boolean {
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return false;
  const first = named.split('/', 1)[0] ?? '';
  // `localhost` without a port is like any other part of a path.
  const hasHost = named.includes('/') && /[.:]/.test(first);
  if (hasHost && !HOST.test(first)) return false;
  const [path = '', tag, ...rest] = (hasHost ? named.slice(first.length + 1) : named).split(':');
  return rest.length === 0 && path.length <= 255 && PATH.test(path) && (tag === undefined || TAG.test(tag));
}

export const image: Parser<string> = parser(
  'an image reference such as hashicorp/consul:1.22.7, or with @sha256:… in place of or after the tag',
  (text, refuse) => {
    if (isImage(text)) return text;
    const plain = text.replace(/^(?:https?|docker|oci):\/\//, '');
    const likely = [plain, plain.toLowerCase()].find(isImage);
    return refuse({ hint: likely && `did you mean \`${likely}\`?` });
  },
);
