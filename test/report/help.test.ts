import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { helpUrl, withHelp } from '../../src/report/help.ts';
import { REPOSITORY, VERSION } from '../../src/session/version.ts';
import { failure, success } from './example.ts';

const ITSELF = { repository: REPOSITORY, version: VERSION };
const PACKAGE = `https://github.com/${REPOSITORY}/blob/v${VERSION}/docs/troubleshooting.md#image`;
const GITHUB = {
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_ACTION_REPOSITORY: 'acme/consul-deploy-fork',
  GITHUB_ACTION_REF: 'v0.1.0',
};

test.each([
  ['a tag', GITHUB, 'https://github.com/acme/consul-deploy-fork/blob/v0.1.0'],
  [
    'the plain tag of a major version',
    { ...GITHUB, GITHUB_ACTION_REF: 'v1' },
    'https://github.com/acme/consul-deploy-fork/blob/v1',
  ],
  [
    'a commit',
    { ...GITHUB, GITHUB_ACTION_REF: '5c1f2b0c9d7e4a3f8b6a1d2e3c4f506172839405' },
    'https://github.com/acme/consul-deploy-fork/blob/5c1f2b0c9d7e4a3f8b6a1d2e3c4f506172839405',
  ],
  [
    'a branch',
    { ...GITHUB, GITHUB_ACTION_REF: 'feature/links_2' },
    'https://github.com/acme/consul-deploy-fork/blob/feature/links_2',
  ],
  [
    'a server of its own',
    { ...GITHUB, GITHUB_SERVER_URL: 'https://git.example.com:8443/' },
    'https://git.example.com:8443/acme/consul-deploy-fork/blob/v0.1.0',
  ],
  [
    'a server without TLS',
    { ...GITHUB, GITHUB_SERVER_URL: 'http://git.example.com' },
    'http://git.example.com/acme/consul-deploy-fork/blob/v0.1.0',
  ],
  [
    'a ref as long as one may be',
    { ...GITHUB, GITHUB_ACTION_REF: 'x'.repeat(200) },
    `https://github.com/acme/consul-deploy-fork/blob/${'x'.repeat(200)}`,
  ],
  [
    'no ref: the tag of this version',
    { ...GITHUB, GITHUB_ACTION_REF: '' },
    `https://github.com/acme/consul-deploy-fork/blob/v${VERSION}`,
  ],
])('help leads to where the action came from: %s', (_, env, root) => {
  expect(helpUrl('image', env, ITSELF)).toBe(`${root}/docs/troubleshooting.md#image`);
});

test.each([
  ['outside of a runner', {}],
  [
    'of a local action, which has no repository',
    { ...GITHUB, GITHUB_ACTION_REPOSITORY: '', GITHUB_ACTION_REF: '' },
  ],
  [
    'with a repository that is none',
    { ...GITHUB, GITHUB_ACTION_REPOSITORY: 'acme/x)](https://evil.example' },
  ],
  ['with a repository that climbs', { ...GITHUB, GITHUB_ACTION_REPOSITORY: '../..' }],
  ['with a server that is none', { ...GITHUB, GITHUB_SERVER_URL: 'javascript:alert(1)' }],
  ['with a server and more behind it', { ...GITHUB, GITHUB_SERVER_URL: 'https://a.example/b' }],
  ['with more before the server', { ...GITHUB, GITHUB_SERVER_URL: 'x https://a.example' }],
  ['with a server and no port', { ...GITHUB, GITHUB_SERVER_URL: 'https://a.example:' }],
  ['with a repository of three parts', { ...GITHUB, GITHUB_ACTION_REPOSITORY: 'a/b/c' }],
  ['with a repository of one part', { ...GITHUB, GITHUB_ACTION_REPOSITORY: 'acme' }],
  ['with a repository whose name is a way up', { ...GITHUB, GITHUB_ACTION_REPOSITORY: 'acme/..' }],
  ['without a server', { ...GITHUB, GITHUB_SERVER_URL: undefined }],
])('help leads to the repository of the package, at its version: %s', (_, env) => {
  expect(helpUrl('image', env, ITSELF)).toBe(PACKAGE);
});

test('a result that failed has the link to its reason, and one that did not stays as it is', () => {
  const why = { reason: 'image', what: 'no such image', details: ['a line'] } as const;
  const result = failure({ failure: { ...why, details: ['a line'] } });
  expect(withHelp(result, {}, ITSELF)).toEqual({ ...result, failure: { ...why, help: PACKAGE } });
  expect(withHelp(success(), GITHUB, ITSELF)).toEqual(success());
});

test('a ref that could not stand in a link is not taken', () => {
  for (const ref of [
    '.a',
    'a/.b',
    '/a',
    'a/',
    '!a',
    'a!',
    'a b',
    'a)b',
    'a#b',
    '../x',
    'a//b',
    '<b>',
    '%2e%2e',
    'a\nb',
    'x'.repeat(300),
  ]) {
    expect(helpUrl('image', { ...GITHUB, GITHUB_ACTION_REF: ref }, ITSELF)).toBe(
      `https://github.com/acme/consul-deploy-fork/blob/v${VERSION}/docs/troubleshooting.md#image`,
    );
  }
});

test('whatever the environment says, the link has only characters that are safe in Markdown', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, text, (server, repository, ref) => {
      const env = {
        GITHUB_SERVER_URL: server,
        GITHUB_ACTION_REPOSITORY: repository,
        GITHUB_ACTION_REF: ref,
      };
      expect(helpUrl('image', env, ITSELF)).toMatch(/^https?:\/\/[\w.:/+-]+#image$/);
    }),
  );
});

test('the repository of the package is the one that README.md names', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`uses: ${REPOSITORY}@`);
  expect(readme).not.toMatch(new RegExp(`uses: (?!${REPOSITORY}@|actions/|helm/)`));
});

test('nothing else in the code names github.com: on GitHub Enterprise Server nothing would be there', () => {
  const root = fileURLToPath(new URL('../../src/', import.meta.url));
  const code = (path: string) =>
    readFileSync(`${root}${path}`, 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/^\s*\/\/.*$/gm, '');
  const files = globSync('**/*.ts', { cwd: root });
  expect(files.length).toBeGreaterThan(200);
  const naming = files.filter((path) => /github\.com|githubusercontent/i.test(code(path)));
  // Where the runner does not say where the action came from, or there is none.
  expect(naming).toEqual(['report/help.ts']);
});
