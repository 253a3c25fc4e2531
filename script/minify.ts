// ncc minifies the entry alone, not the chunks of what is imported lazily.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { minifySync } from '@swc/core';

const [folder = 'dist'] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.index.js'))) {
  const path = `${folder}/${name}`;
  const { code } = minifySync(readFileSync(path, 'utf8'), { compress: true, mangle: true, module: true });
  writeFileSync(path, code);
}
