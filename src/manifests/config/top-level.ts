import type { AgentConfigFragment } from '../../config/config.ts';

type Fragment = Pick<AgentConfigFragment, 'text'> | undefined;
/** The text of a value that is a word, a number or a string; undefined for a block, a list or a heredoc. */
type Setting = [name: string, value: string | undefined];

/**
 * What an agent's configuration sets at its top level. Names are in lower case: for Consul `Domain` and `domain` are the same.
 * Of a setting that is there twice the last value counts, as for Consul. Words in comments, in strings and in blocks, such as the tag of a service,
 * are not among it.
 */
export function topLevelSettings(fragment: Fragment): Map<string, string | undefined> {
  const text = fragment?.text.trim() ?? '';
  const settings = text.startsWith('{') ? settingsInJson(text) : new HclSettings(text).read();
  return new Map(settings.map(([name, value]) => [name.toLowerCase(), value]));
}

export function topLevelNames(fragment: Fragment): Set<string> {
  return new Set(topLevelSettings(fragment).keys());
}

/** What is no JSON Consul does not start with. */
function settingsInJson(text: string): Setting[] {
  try {
    return Object.entries(JSON.parse(text)).map(([name, value]) => [
      name,
      typeof value === 'object' ? undefined : String(value),
    ]);
  } catch {
    return [];
  }
}

/** https://github.com/hashicorp/hcl/blob/v1.0.1-vault-7/hcl/scanner/scanner.go */
class HclSettings {
  readonly #text: string;
  readonly #settings: Setting[] = [];
  #at = 0;
  #depth = 0;
  /** After a name come labels, and after `=` a value. */
  #next: 'name' | 'label' | 'value' = 'name';

  constructor(text: string) {
    this.#text = text;
  }

  read(): Setting[] {
    while (this.#at < this.#text.length) this.#step();
    return this.#settings;
  }

  #step(): void {
    const [one = '', two] = [this.#text[this.#at], this.#text[this.#at + 1]];
    if (one === '#' || (one === '/' && two === '/')) this.#skipTo('\n');
    else if (one === '/' && two === '*') this.#skipTo('*/');
    else if (one === '"') this.#word(this.#string());
    else if (one === '<' && two === '<') this.#heredoc();
    else if (WORD.test(one)) this.#word(this.#bare());
    else {
      this.#at++;
      this.#mark(one);
    }
  }

  #mark(mark: string): void {
    if (mark === '{' || mark === '[') this.#depth++;
    else if (mark === '}' || mark === ']') {
      this.#depth = Math.max(this.#depth - 1, 0);
      if (this.#depth === 0) this.#next = 'name';
    } else if (mark === '=' && this.#depth === 0) this.#next = 'value';
  }

  #word(word?: string): void {
    if (this.#depth > 0) return;
    const last = this.#settings.at(-1);
    if (this.#next === 'name') this.#settings.push([word ?? '', undefined]);
    else if (this.#next === 'value' && last) last[1] = word;
    this.#next = this.#next === 'value' ? 'name' : 'label';
  }

  #bare(): string {
    const start = this.#at;
    while (WORD.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** In `${…}` quotes do not count. */
  #string(): string {
    const text = this.#text;
    const start = ++this.#at;
    for (let inside = 0; this.#at < text.length; this.#at++) {
      const one = text[this.#at];
      if (one === '\\') this.#at++;
      else if (one === '{' && (inside > 0 || text[this.#at - 1] === '$')) inside++;
      else if (one === '}' && inside > 0) inside--;
      else if (one === '"' && inside === 0) break;
    }
    return text.slice(start, this.#at++);
  }

  /** `<<EOF`, its lines, and `EOF` on one of its own */
  #heredoc(): void {
    const marker = /^-?\w*/.exec(this.#text.slice(this.#at + 2, this.#at + 2 + LONGEST_MARKER))?.[0] ?? '';
    const word = marker.replace(/^-/, '');
    this.#skipTo('\n');
    while (this.#at < this.#text.length) {
      const start = this.#at;
      this.#skipTo('\n');
      if (this.#text.slice(start, this.#at).trim() === word) break;
    }
    this.#word();
  }

  /** To what comes after it, or to the end. */
  #skipTo(mark: string): void {
    const found = this.#text.indexOf(mark, this.#at);
    this.#at = found < 0 ? this.#text.length : found + mark.length;
  }
}

const WORD = /[\w.-]/;
const LONGEST_MARKER = 80;
