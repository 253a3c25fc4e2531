import { type Parser, parser } from './parser.ts';

function pattern(allowed: string, regex: RegExp, max: number): Parser<string> {
  const matches = (text: string) => text.length <= max && regex.test(text);
  return parser(`${allowed}, at most ${max} characters`, (text, refuse) => {
    if (matches(text)) return text;
    const lower = text.toLowerCase();
    return refuse({ hint: matches(lower) ? `did you mean \`${lower}\`?` : undefined });
  });
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export const namespaceName = pattern(
  'lower-case letters, digits and hyphens, with a letter or digit at both ends',
  new RegExp(`^${LABEL}$`),
  63,
);

/**
 * The prefix of every object's name. A Service's name must start with a letter (RFC 1035), and 40 characters
 * leave room for our own suffixes and for the hash that Kubernetes puts into the label of a revision.
 */
export const objectPrefix = pattern(
  'lower-case letters, digits and hyphens, starting with a letter and ending with a letter or digit',
  /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/,
  40,
);

/** The name of a StorageClass. */
export const subdomain = pattern(
  'a Kubernetes object name: lower-case letters, digits, hyphens and dots',
  new RegExp(`^${LABEL}(?:\\.${LABEL})*$`),
  253,
);

/** 63 characters: a datacenter is a label of DNS names such as `consul.service.dc1.consul`. */
export const datacenter = pattern('lower-case letters, digits, hyphens and underscores', /^[a-z0-9_-]+$/, 63);

/** The DNS domain Consul answers for. */
export const domain = parser(
  'a DNS name such as consul or consul.example.com, in lower case',
  (text, refuse) => {
    const isName = (name: string) =>
      name.length <= 253 &&
      name.split('.').every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
    if (isName(text)) return text;
    const likely = text.toLowerCase().replace(/^\.|\.$/g, '');
    return refuse({ hint: isName(likely) ? `did you mean \`${likely}\`?` : undefined });
  },
);
