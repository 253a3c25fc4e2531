import { expect, test } from 'vitest';
import { size } from '../../src/report/size.ts';

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [1024 ** 2 - 1024, '1023.0 KiB'],
  [1024 ** 2, '1.0 MiB'],
  [2_000_000, '1.9 MiB'],
  [1024 ** 3, '1.0 GiB'],
  [2048 * 1024 ** 3, '2048.0 GiB'],
])('%d bytes are %s', (bytes, words) => expect(size(bytes)).toBe(words));
