import { isUtf8 } from 'node:buffer';

/** Where bytes that are no text go: to halves of characters, which no text has. */
const HALF = 0xdc00;
const LONGEST = 500;

/**
 * The name that these bytes are. Names of keys need not be text: of those the bytes beyond ASCII become halves of
 * characters, so that two names never become one.
 */
export function nameOf(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  let name = '';
  for (const byte of bytes) name += String.fromCharCode(byte < 0x80 ? byte : HALF + byte);
  return name;
}

/** The name in a field of a record; empty where it holds none. */
export function nameIn(field: unknown): string {
  return field instanceof Uint8Array ? nameOf(field) : '';
}

/** What nobody sees, or what looks like something else: spaces at an end, and after another one, too. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}|^ | $| (?= )/gu;

/** A name as a person can tell it from others: `app/\x00`, `app/\xff`, `app/\u{200b}`. Of a long one the beginning. */
export function visible(name: string): string {
  const more = name.length > LONGEST ? '…' : '';
  return name.slice(0, LONGEST).replace(UNSEEN, escaped) + more;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const byte = code >= HALF + 0x80 && code <= HALF + 0xff ? code - HALF : code;
  const hex = byte.toString(16);
  return byte < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}
