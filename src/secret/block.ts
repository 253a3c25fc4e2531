/** What stands between two braces, or in the whole text: names and what they are given, in their order. */
export class Block {
  readonly entries: [name: string, value: Value][] = [];
}

/** As much of HCL and JSON as may hold a secret: numbers and switches are left out. */
export type Value = string | Block | Value[];

/** Most names before one brace: the kind of a block and its labels. */
const MOST_NAMES = 4;

/** One block or list that is open. */
export interface Open {
  inside: Block | Value[];
  names: string[];
  /** After `=` or `:`. */
  isAssigned: boolean;
  /** The next name begins another line. */
  isNewLine: boolean;
}

export function open(inside: Block | Value[]): Open {
  return { inside, names: [], isAssigned: false, isNewLine: false };
}

export function top(stack: readonly Open[]): Open {
  const last = stack.at(-1);
  if (!last) throw new TypeError('the outermost block is never closed');
  return last;
}

export function name(now: Open, text: string): void {
  if (now.isNewLine) now.names = [];
  now.isNewLine = false;
  now.names = [...now.names.slice(1 - MOST_NAMES), text];
}

export function forget(now: Open): void {
  now.names = [];
  now.isAssigned = false;
}

export function insert({ inside, isAssigned }: Open, key: string, value: Value): void {
  if (!Array.isArray(inside)) inside.entries.push([key, value]);
  else if (!isAssigned) inside.push(value);
  else {
    // Broken text: a bracket was never closed.
    const block = new Block();
    block.entries.push([key, value]);
    inside.push(block);
  }
}
