import type { Config } from './config.ts';
import { readYaml } from './parser/yaml.ts';
import { assignments, bareAssignments, privateKeys } from './secret-text.ts';

/** Nobody keeps a secret this short, and the runner would blot out words with it. */
const SHORTEST = 6;

/** What a secret is called, without case and punctuation: so in Consul's configuration, so in environments. */
const TELLING =
  /(?:encrypt|initialmanagement|tokens?|secret|secretid|secretkey|keysecret|accesskey|apikey|privatekey|encryptionkey|gossipkey|keydata|certificatedata|password|passwd|passphrase|license)$/;
/** Where every string below is one. */
const ALL_BELOW = /^(?:tokens|stringdata)$/;

/** Whether the strings at a place are secrets: none, the one right there, or all below. */
type Reach = 'none' | 'here' | 'below';

/**
 * The secrets that the inputs hold, as far as names and PEM headers give them away: credentials of a kubeconfig
 * that was given as such, and those in agent configuration and patches.
 */
export function inputSecrets(
  config: Pick<Config, 'kubeconfig' | 'serverConfig' | 'clientConfig' | 'patches'>,
): string[] {
  const { kubeconfig, serverConfig, clientConfig, patches } = config;
  const yaml = kubeconfig.kind === 'inline' ? readYaml(kubeconfig.yaml) : { documents: [] };
  return secretsIn([
    'documents' in yaml ? yaml.documents : [],
    serverConfig?.text ?? '',
    clientConfig?.text ?? '',
    patches,
  ]);
}

/** The secrets in a JSON value; texts in it are read as agent configuration (JSON or HCL) and as arguments. */
export function secretsIn(value: unknown): string[] {
  const found = new Set<string>();
  walk(value, 'none', found);
  return [...found].filter(({ length }) => length >= SHORTEST);
}

function walk(value: unknown, reach: Reach, found: Set<string>): void {
  if (typeof value === 'string') {
    if (reach !== 'none') found.add(value.trim());
    readText(value, found);
  } else if (Array.isArray(value)) {
    value.forEach((entry, index) => {
      // `-encrypt`, `<key>`: two arguments of a command
      const flag: unknown = value[index - 1];
      const told = typeof flag === 'string' && /^-[\w-]+$/.test(flag) && tells(flag);
      walk(entry, told && reach === 'none' ? 'here' : reach, found);
    });
  } else if (typeof value === 'object' && value !== null) {
    const told = isNamed(value) && value.value !== undefined;
    for (const [key, entry] of Object.entries(value)) {
      walk(entry, told && key === 'value' ? 'here' : below(key, reach), found);
    }
  }
}

function below(key: string, reach: Reach): Reach {
  if (reach === 'below' || ALL_BELOW.test(bare(key))) return 'below';
  return tells(key) ? 'here' : 'none';
}

/** An environment variable, or a JSON patch operation. */
function isNamed(entry: object): entry is { value?: unknown } {
  const { name, path } = entry as { name?: unknown; path?: unknown };
  if (typeof name === 'string' && tells(name)) return true;
  return typeof path === 'string' && tells(path.slice(path.lastIndexOf('/') + 1));
}

function readText(text: string, found: Set<string>): void {
  for (const part of privateKeys(text)) found.add(part);
  const decoded = decodedPem(text);
  if (decoded !== undefined) readText(decoded, found);
  const json = parsedJson(text);
  if (json !== undefined) {
    walk(json, 'none', found);
    return;
  }
  for (const { key, values, block } of assignments(text)) {
    const reach = block !== undefined && ALL_BELOW.test(bare(block)) ? 'below' : below(key, 'none');
    for (const value of values) {
      if (reach !== 'none') found.add(value);
      for (const part of privateKeys(value)) found.add(part);
    }
  }
  for (const { key, value } of bareAssignments(text)) if (tells(key)) found.add(value);
}

/** Only objects and arrays: a plain string has no names in it. */
function parsedJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As in `client-key-data`. `LS0tLS1CRUdJTi` is `-----BEGIN`. */
function decodedPem(text: string): string | undefined {
  return /^\s*LS0tLS1CRUdJTi/.test(text) ? Buffer.from(text, 'base64').toString() : undefined;
}

function tells(name: string): boolean {
  return TELLING.test(bare(name));
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '');
}
