#!/usr/bin/env node
// The command: the bundle of the action, told that it was a shell that started it. Old syntax, so that an old Node.js
// can read it and say what it lacks.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = Number(/\d+/.exec(engines.node)[0]);
if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write(
    `consul-deploy needs Node.js ${needed} or later, and this is ${process.version}. ` +
      `Use an image such as node:${needed}, or another version of Node.js.\n`,
  );
  process.exit(2);
}
process.argv.splice(2, 0, 'command');
await import('../dist/index.js');
