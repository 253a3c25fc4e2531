import { Block, forget, insert, name, type Open, open, top, type Value } from './block.ts';
import { withoutIndentation } from './indentation.ts';

/**
 * Reads what looks like HCL or JSON. It takes any text, also one that Consul would refuse, looks at each character
 * a fixed number of times, and loses nothing after a mistake but the line it is in. Comments are read, too, since a
 * key that was commented out may still be in use; but their braces close nothing outside of them.
 * https://github.com/hashicorp/hcl/blob/v1.0.1-vault-7/hcl/scanner/scanner.go
 */
export function readBlock(text: string): Block {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  readonly #root = new Block();
  readonly #code: Open[];
  #comments: Open[] = [];
  /** The one of the two that is read now. */
  #stack: Open[];
  #at = 0;
  #comment: 'none' | 'line' | 'block' = 'none';
  /** Up to here no interpolation closes. */
  #noInterpolation = -1;
  #lines: Map<string, Lines> | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#code = [open(this.#root)];
    this.#stack = this.#code;
  }

  read(): Block {
    while (this.#at < this.#text.length) this.#step(this.#text.charAt(this.#at));
    return this.#root;
  }

  #step(character: string): void {
    if (this.#isMark(character)) return;
    if (character === '"') this.#put(this.#string());
    else if (isWord(character)) this.#word();
    else if (character === '<' && this.#heredoc()) return;
    else {
      this.#at++;
      this.#punctuation(character);
    }
  }

  /** Comments begin and end. */
  #isMark(character: string): boolean {
    const two = character === '/' || character === '*' ? this.#text.slice(this.#at, this.#at + 2) : '';
    if (this.#comment === 'none' && (character === '#' || two === '//')) return this.#begin('line', 1);
    if (this.#comment === 'none' && two === '/*') return this.#begin('block', 2);
    if (this.#comment === 'block' && two === '*/') return this.#end(2);
    if (this.#comment === 'line' && character === '\n') return this.#end(0);
    return false;
  }

  #begin(comment: 'line' | 'block', length: number): true {
    this.#at += length;
    this.#comment = comment;
    // A block that was commented out goes on in the next line.
    if (this.#comments.length <= 1) {
      const block = new Block();
      insert(top(this.#code), '', block);
      this.#comments = [open(block)];
    }
    this.#stack = this.#comments;
    return true;
  }

  #end(length: number): true {
    this.#at += length;
    this.#comment = 'none';
    const comment = top(this.#comments);
    comment.isAssigned = false;
    comment.isNewLine = true;
    this.#stack = this.#code;
    return true;
  }

  #punctuation(character: string): void {
    const now = top(this.#stack);
    if (character === '\n') now.isNewLine = true;
    else if (character === '=' || character === ':') now.isAssigned = now.names.length > 0;
    else if (character === ',' || character === ';') forget(now);
    else if (character === '{') this.#open(new Block());
    else if (character === '[') this.#open([]);
    else if (character === '}' || character === ']') this.#close(character === '}');
  }

  #open(inside: Block | Value[]): void {
    const now = top(this.#stack);
    let outer = now;
    // `service "web" {`: one block within the other
    const names = now.isAssigned ? now.names.slice(-1) : now.names;
    for (const name of names.slice(0, -1)) {
      const between = new Block();
      insert(outer, name, between);
      outer = open(between);
    }
    insert(outer, names.at(-1) ?? '', inside);
    forget(now);
    this.#stack.push(open(inside));
  }

  /** A brace closes what was left open within; a bracket closes only a list. */
  #close(isBrace: boolean): void {
    const stack = this.#stack;
    if (!isBrace && Array.isArray(top(stack).inside)) stack.pop();
    if (!isBrace) return;
    while (stack.length > 1 && Array.isArray(top(stack).inside)) stack.pop();
    if (stack.length > 1) stack.pop();
  }

  #put(text: string): void {
    const now = top(this.#stack);
    if (now.isAssigned) {
      insert(now, now.names.at(-1) ?? '', text);
      forget(now);
      return;
    }
    if (Array.isArray(now.inside)) now.inside.push(text);
    name(now, text);
  }

  #word(): void {
    const start = this.#at;
    while (this.#at < this.#text.length && isWord(this.#text.charAt(this.#at))) this.#at++;
    const now = top(this.#stack);
    // A number or a switch is no value of interest; in broken text it may be a name.
    if (now.isAssigned) forget(now);
    name(now, this.#text.slice(start, this.#at));
  }

  /** From one quote to the other, or to the end of the line. In `${…}` quotes do not count. */
  #string(): string {
    const start = this.#at + 1;
    let end = this.#closing(start, start > this.#noInterpolation);
    if (end < 0) end = this.#closing(start, false);
    this.#at = this.#text[end] === '"' ? end + 1 : end;
    return unescaped(this.#text.slice(start, end));
  }

  #closing(start: number, interpolates: boolean): number {
    const text = this.#text;
    let depth = 0;
    let at = start;
    for (; at < text.length && text[at] !== '\n'; at++) {
      if (text[at] === '\\') at++;
      else if (interpolates && text[at] === '{' && (depth > 0 || text[at - 1] === '$')) depth++;
      else if (depth > 0 && text[at] === '}') depth--;
      else if (depth === 0 && text[at] === '"') return at;
    }
    if (depth === 0) return Math.min(at, text.length);
    this.#noInterpolation = at;
    return -1;
  }

  /** `<<EOF`, its lines, and `EOF` on one of its own */
  #heredoc(): boolean {
    HEREDOC.lastIndex = this.#at;
    const [head, marker = ''] = HEREDOC.exec(this.#text) ?? [];
    if (head === undefined) return false;
    const start = this.#at + head.length;
    const end = this.#lineOf(marker, start);
    if (end === undefined) return false;
    this.#put(withoutIndentation(this.#text.slice(start, end)));
    this.#at = end;
    return true;
  }

  /** Where the next line begins that holds nothing but this word. */
  #lineOf(word: string, from: number): number | undefined {
    this.#lines ??= wordLines(this.#text);
    const known = this.#lines.get(word);
    if (!known) return undefined;
    // Lines before the place that is read now are never asked for again.
    while ((known.starts[known.next] ?? from) < from) known.next++;
    return known.starts[known.next];
  }
}

const LONGEST_MARKER = 40;
const HEREDOC = new RegExp(`<<-?[ \\t]{0,8}(\\w{1,${LONGEST_MARKER}})[ \\t]{0,8}\\r?\\n`, 'y');

interface Lines {
  starts: number[];
  /** The first that has not been passed. */
  next: number;
}

/** Lines that hold one word, and where they begin. */
function wordLines(text: string): Map<string, Lines> {
  const found = new Map<string, Lines>();
  for (let start = 0; start < text.length; ) {
    const next = text.indexOf('\n', start);
    const end = next < 0 ? text.length : next;
    const word =
      end - start > 4 * LONGEST_MARKER
        ? ''
        : text
            .slice(start, end)
            .trim()
            .replace(/[,;)\]]$/, '');
    if (/^\w+$/.test(word)) {
      const lines = found.get(word) ?? { starts: [], next: 0 };
      lines.starts.push(start);
      found.set(word, lines);
    }
    start = end + 1;
  }
  return found;
}

function isWord(character: string): boolean {
  return /[\w.-]/.test(character);
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}
