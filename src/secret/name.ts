/** Longer names say no more by what comes before. */
const LONGEST_NAME = 80;

/** What a secret is called, without case and punctuation: so in Consul's configuration, so in environments. */
const ENDINGS = [
  ...['encrypt', 'initialmanagement', 'token', 'tokens', 'secret', 'secretid'],
  ...['secretkey', 'keysecret', 'accesskey', 'apikey', 'privatekey', 'encryptionkey'],
  ...['gossipkey', 'gpgkey', 'pgpkey', 'sshkey', 'signingkey', 'masterkey'],
  ...['accountkey', 'storagekey', 'sharedkey', 'keydata', 'certificatedata', 'password'],
  ...['passwd', 'passphrase', 'license', 'authorization', 'credential', 'credentials'],
];
/** Too short to count at the end of a longer word, such as `bypass`. */
const LAST_WORD = /^(?:pass|pwd|auth|creds?|cookie)$/i;
/** Of an environment variable, every key counts. */
const KEY_IN_ENVIRONMENT = /^[A-Z][A-Z0-9_]*_KEY$/;
/** Where every string below is one. */
const ALL_BELOW = /^(?:tokens|stringdata)$/;

/** Names of fields, wherever they stand in a path: more than that, since hiding one value costs little. */
const IN_PATH =
  /secret|token|passw(?:or)?d|passphrase|encrypt|licen[cs]e|credential|authorization|[^a-z]key|[^a-z](?:pass|pwd|auth|creds?|cookie)(?![a-z])/i;

/** Whether what has this name is a secret. */
export function namesSecret(name: string): boolean {
  const end = name.slice(-LONGEST_NAME);
  const letters = bare(end);
  return (
    ENDINGS.some((ending) => letters.endsWith(ending)) ||
    LAST_WORD.test(lastWord(end)) ||
    KEY_IN_ENVIRONMENT.test(end)
  );
}

/** Whether every string below this name is one. */
export function namesSecrets(name: string): boolean {
  return name.length <= LONGEST_NAME && ALL_BELOW.test(bare(name));
}

/** Whether a path of fields, as server-side apply writes it, leads to what is named like a secret. */
export function leadsToSecret(path: string): boolean {
  return IN_PATH.test(path);
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '');
}

/** `PASS` of `DB_PASS`, `Pass` of `dbPass` */
function lastWord(name: string): string {
  return name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g)?.at(-1) ?? '';
}
