import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Recipe {
  /** The heading that it stands under. */
  title: string;
  /** What is pasted under `with:`, as a runner gives it. */
  inputs: Record<string, string>;
  /** Files of the repository that it needs, by their path. */
  files: Map<string, string>;
}

const PAGE = new URL('../../docs/guides/patches.md', import.meta.url);
const FENCE = /^```(.*)\n([\s\S]*?)^```$/gm;
const FILE_NAME = /^# (\S+\.yaml)\n/;

/** The recipes of docs/guides/patches.md: each section with code is one. */
export function cookbook(page = readFileSync(PAGE, 'utf8')): Recipe[] {
  return page.split(/^##+ /m).flatMap((section) => {
    const [title = ''] = section.split('\n', 1);
    const blocks = [...section.matchAll(FENCE)];
    return blocks.length === 0 ? [] : [recipe(title, blocks)];
  });
}

function recipe(title: string, blocks: readonly RegExpMatchArray[]): Recipe {
  const files = new Map<string, string>();
  const inputs: Record<string, string>[] = [];
  for (const [, language, text = ''] of blocks) {
    if (language !== 'yaml') throw new Error(`${title}: a block that is not yaml is not tried by any test`);
    const [comment, path] = FILE_NAME.exec(text) ?? [];
    if (comment && path) files.set(path, text.slice(comment.length));
    else inputs.push(withInputs(title, text));
  }
  const [only, ...more] = inputs;
  if (!only || more.length > 0) throw new Error(`${title}: has ${inputs.length} blocks of inputs, not one`);
  return { title, inputs: only, files };
}

function withInputs(title: string, text: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries<unknown>(parse(text)).map(([name, value]) => {
      if (typeof value !== 'string') throw new Error(`${title}: ${name} is no text`);
      return [name, value];
    }),
  );
}
