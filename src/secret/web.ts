/** What ends the part of a URL that names user and host. */
const AFTER_HOST = /[\s/?#"'<>`\\|,]/;

/** User and password in URLs: `scheme://user:password@host`. Of a web address without a colon, the user is a token. */
export function urlCredentials(text: string): string[] {
  const found: string[] = [];
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at)) {
    const isWeb = /https?$/i.test(text.slice(Math.max(0, at - 5), at));
    const start = at + 3;
    let sign = -1;
    for (at = start; at < text.length && !AFTER_HOST.test(text.charAt(at)); at++) {
      if (text[at] === '@') sign = at;
    }
    if (sign < 0) continue;
    const user = text.slice(start, sign);
    const colon = user.indexOf(':');
    if (colon >= 0) found.push(...bothForms(user.slice(colon + 1)), ...bothForms(user));
    else if (isWeb) found.push(...bothForms(user));
  }
  return found;
}

/** As it stands there, and what that stands for. */
function bothForms(text: string): string[] {
  try {
    return [...new Set([text, decodeURIComponent(text)])];
  } catch {
    return [text];
  }
}

/** `Authorization: Bearer …`, and other headers by their names */
const HEADER =
  /(?<![\w-])((?:proxy-)?authorization|cookie|x-[\w-]+)["']?[ \t]*[:=][ \t]*["']?([^\r\n"'`\\]+)/gi;
/** The two schemes that give a secret away wherever they stand */
const SCHEME = /(?<![\w-])(bearer|basic)[ \t]+([\w.~+/-]{8,}=*)/gi;

/** Values of HTTP headers, as commands and scripts write them. */
export function headers(text: string): { name: string; value: string }[] {
  return [...text.matchAll(HEADER)].map(([, name = '', value = '']) => ({ name, value }));
}

/** Tokens and passwords behind `Bearer` and `Basic`. */
export function authorizations(text: string): string[] {
  return [...text.matchAll(SCHEME)].flatMap(([, scheme = '', credential = '']) => {
    if (scheme.toLowerCase() === 'basic') return basicPassword(credential);
    // "Bearer authentication" is a word.
    return /\d/.test(credential) || credential.length >= 20 ? [credential] : [];
  });
}

/** What is sent as `Authorization` without the name of its scheme. That of `Basic` is told by its shape: see above. */
export function credentialOf(value: string): string[] {
  const [, credential] = /^[a-z]{1,20}[ \t]+(\S.*)$/is.exec(value) ?? [];
  return credential === undefined ? [] : [credential];
}

/** Base64 of `user:password`; none where it is a word. */
function basicPassword(credential: string): string[] {
  const text = Buffer.from(credential, 'base64').toString();
  if (!/^[\x20-\x7e]+$/.test(text) || !text.includes(':')) return [];
  return [credential, text.slice(text.indexOf(':') + 1)];
}
