import { parseDocument } from 'yaml';
import type { AgentConfigFragment } from '../config.ts';
import { type Parser, parser } from './parser.ts';

/**
 * Agent configuration: JSON where it starts with `{`, otherwise HCL, which Consul itself judges.
 * Mistakes are told by position only: a fragment may hold a gossip key or a token.
 */
export const fragment: Parser<AgentConfigFragment> = parser('a JSON object, or HCL', (text, refuse) => {
  if (!text.startsWith('{')) return { format: 'hcl', text };
  try {
    JSON.parse(text);
    return { format: 'json', text };
  } catch (error) {
    const position = jsonErrorPosition(text, error);
    return refuse({
      allowed: 'a JSON object, because it starts with {',
      at: position ? [position] : [],
      hint: 'JSON has no comments, no trailing commas and only double quotes',
    });
  }
});

/** V8 tells the position of some mistakes only, and quotes the text for the others. */
function jsonErrorPosition(text: string, error: unknown): string | undefined {
  const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec(String(error)) ?? [];
  if (line) return `line ${line}, column ${column}`;
  try {
    const found = parseDocument(text, { schema: 'json' }).errors[0]?.linePos?.[0];
    return found && `line ${found.line}, column ${found.col}`;
  } catch {
    return undefined;
  }
}
