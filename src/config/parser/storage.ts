import type { ServerStorage } from '../config.ts';
import { type Parser, parser } from './parser.ts';
import { isQuantity, likelySize } from './quantity.ts';

/** A size with its unit, or `ephemeral`. A bare number would be bytes, which no volume is asked for in. */
export const storage: Parser<ServerStorage> = parser('a size such as 10Gi, or ephemeral', (text, refuse) => {
  if (text === 'ephemeral') return { kind: 'ephemeral' };
  if (isQuantity(text) && /^(?=[\d.]*[1-9])[\d.]+[kKMGTPE]i?$/.test(text))
    return { kind: 'persistent', size: text };
  if (/^e[a-z]{6,}$/i.test(text)) return refuse({ hint: 'did you mean `ephemeral`?' });
  const size = likelySize(text) ?? (/^[1-9]\d{0,5}$/.test(text) ? `${text}Gi` : undefined);
  return refuse({ hint: size && `did you mean \`${size}\`?` });
});
