import { mapStrings } from './strings.ts';

/** Shorter ones stand in text by accident, and masking them would blot out half a report. */
const SHORTEST = 6;
const MASK = '***';
/** Marks where this project cut a text; before it a secret may stand in part. */
const CUT = '…';

/** The secrets of one run. What is printed or written goes through `redact` first. */
export class Secrets {
  /** By their first characters, so that a text is read once however many there are. */
  readonly #forms = new Map<string, Set<string>>();
  /** Which hashes of first characters occur: a quick no for nearly every place in a text. */
  readonly #starts = new Uint8Array(1 << 16);

  /** From now on neither it nor an encoding of it gets through. Ignores what is shorter than 6 characters. */
  add(value: string): void {
    const secret = value.trim();
    if (secret.length < SHORTEST) return;
    for (const form of formsOf(secret)) {
      const start = form.slice(0, SHORTEST);
      const known = this.#forms.get(start) ?? new Set();
      this.#forms.set(start, known.add(form));
      this.#starts[hash(form, 0)] = 1;
    }
  }

  /** `text` with `***` for each secret; secrets that overlap or touch share one. */
  redact(text: string): string {
    let [before, after] = [text, this.#pass(text)];
    // A mask and what stands beside it may be a secret, too. Each pass makes the text shorter.
    while (after !== before) [before, after] = [after, this.#pass(after)];
    return after;
  }

  /** A JSON value with each string of it redacted; its keys stay. */
  redactAll<T>(value: T): T {
    return mapStrings(value, (text) => this.redact(text));
  }

  #pass(text: string): string {
    let done = '';
    /** Where the last secret ends. */
    let end = -1;
    let cut = -1;
    for (let at = 0; at <= text.length - SHORTEST; at++) {
      if (this.#starts[hash(text, at)] === 0) continue;
      const forms = this.#forms.get(text.slice(at, at + SHORTEST));
      if (!forms) continue;
      if (cut < at) cut = text.indexOf(CUT, at);
      if (cut < 0) cut = Number.POSITIVE_INFINITY;
      const length = longestAt(text, at, forms, cut);
      if (length === 0) continue;
      if (end < at) done += text.slice(Math.max(end, 0), at) + MASK;
      end = Math.max(end, at + length);
    }
    return end < 0 ? text : done + text.slice(end);
  }
}

/** How many characters at this place belong to a secret: all of one, or as many as were left of it by a cut. */
function longestAt(text: string, at: number, forms: ReadonlySet<string>, cut: number): number {
  let longest = 0;
  for (const form of forms) {
    if (form.length > longest && text.startsWith(form, at)) longest = form.length;
    const left = cut - at;
    if (left > longest && left >= SHORTEST && left < form.length && form.startsWith(text.slice(at, cut))) {
      longest = left;
    }
  }
  return longest;
}

function hash(text: string, at: number): number {
  return (text.charCodeAt(at) + text.charCodeAt(at + 1) * 31 + text.charCodeAt(at + 2) * 961) & 0xffff;
}

/** The secret as it may stand in a text: itself, on one line, in JSON, in a URL, in base64. */
function formsOf(secret: string): Set<string> {
  const text = secret.toWellFormed();
  const json = JSON.stringify(text).slice(1, -1);
  // Go, which Kubernetes and Consul are written in, escapes more than JavaScript does.
  const goJson = json.replace(/[<>&]/g, (found) => `\\u00${hex(found)}`);
  const uri = encodeURIComponent(text);
  const goQuery = uri.replace(/[!'()*]/g, (found) => `%${hex(found).toUpperCase()}`).replaceAll('%20', '+');
  const plain = [secret, text, text.replace(/\s+/g, ' '), json, goJson, uri, goQuery];
  const base64 = base64Of(Buffer.from(text));
  const base64url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  return new Set([...plain, ...base64, ...base64url].filter(({ length }) => length >= SHORTEST));
}

/** Alone, with and without padding; and within something longer, without the characters it shares with that. */
function base64Of(bytes: Buffer): string[] {
  const alone = bytes.toString('base64');
  const within = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const shared = before === 0 ? 0 : before + 1;
    return encoded.slice(shared, Math.floor(((before + bytes.length) * 8) / 6));
  });
  return [alone, alone.replace(/={1,2}$/, ''), ...within];
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}
