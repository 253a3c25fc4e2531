// ncc leaves out the packages whose modules it merges into one scope, so the notices are collected here.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const [folder = 'dist'] = process.argv.slice(2);
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, { dev?: boolean; license?: string }>;
};
const notices = Object.entries(packages)
  // An optional package may not be installed.
  .filter(([path, { dev }]) => path !== '' && !dev && existsSync(path))
  .map(([path, { license = '' }]) => {
    const file = readdirSync(path).find((name) => /^licen[cs]e(\.(md|txt))?$/i.test(name));
    const text = file === undefined ? '' : readFileSync(`${path}/${file}`, 'utf8').trim();
    return [path.replace(/^.*node_modules\//, ''), license, text].filter((part) => part !== '').join('\n');
  });
writeFileSync(`${folder}/licenses.txt`, `${[...new Set(notices)].sort().join('\n\n')}\n`);
