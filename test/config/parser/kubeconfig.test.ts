import { expect, test } from 'vitest';
import { kubeconfig } from '../../../src/config/parser/kubeconfig.ts';
import { mistakes } from '../given.ts';

const yaml = 'apiVersion: v1\nkind: Config\nclusters:\n- name: é\nusers:\n- user: {token: canary}\n';
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('one line of base64 is the kubeconfig itself, with or without padding', () => {
  expect(kubeconfig.parse(base64(yaml))).toEqual({ kind: 'inline', yaml });
  expect(kubeconfig.parse(base64(yaml).replace(/=+$/, ''))).toEqual({ kind: 'inline', yaml });
  const json = JSON.stringify({ clusters: [] });
  expect(kubeconfig.parse(base64(json))).toEqual({ kind: 'inline', yaml: json });
});

test('an inline kubeconfig may hold any number: it is passed on to nobody', () => {
  const odd = `${yaml}extensions: {a: 0400, b: 9007199254740993}\n`;
  expect(kubeconfig.parse(base64(odd))).toEqual({ kind: 'inline', yaml: odd });
});

test.each([
  '/root/.kube/config',
  './kubeconfig',
  '~/config',
  'kubeconfig',
  'config',
  'dir with space/k.yaml',
  'abcd',
  'a{b',
  './apiVersion:x',
  // No base64 with something beside it is taken for base64.
  `!${base64(yaml)}`,
  `${base64(yaml)}!`,
  // Base64, and no kubeconfig: a text of no lines, nothing at all, and bytes that are no text.
  base64('token: a'),
  base64('null'),
  Buffer.from([...Buffer.from('clusters: []\n# '), 0xff]).toString('base64'),
  base64('x'.repeat(384)),
  `${'a/-'.repeat(1365)}x`,
])('%s is a path', (path) => {
  expect(kubeconfig.parse(path)).toEqual({ kind: 'path', path });
});

test('nothing is the default', () => {
  expect(kubeconfig.parse('')).toEqual({ kind: 'default' });
});

test.each([
  ['several lines', yaml, /masks a secret of several lines line by line.*`base64 -w0`$/],
  ['wrapped base64', `${base64(yaml)}\n${base64(yaml)}`, /line by line/],
  ['JSON', '{"clusters": ["canary"]}', /encode it with `base64 -w0`$/],
  ['base64 of something else', base64('token: canary\n'.repeat(50)), /does not decode to a kubeconfig/],
  ['base64 of broken YAML', base64(`clusters: [canary${' '.repeat(600)}`), /does not decode to a kubeconfig/],
  ['base64 that is longer than a path', base64('x'.repeat(387)), /does not decode to a kubeconfig/],
  ['a path that is too long', `${'a/-'.repeat(1365)}xx`, /one line of base64$/],
  [
    'a control character',
    'canary\u0000',
    /allowed: a path to a kubeconfig, or a kubeconfig as one line of base64$/,
  ],
])('%s is refused without showing it', (_title, text, hint) => {
  const lines = mistakes({ kubeconfig: text });
  expect(lines).toEqual([
    expect.stringMatching(/^kubeconfig: given a value that is not shown; allowed: a path/),
  ]);
  expect(lines[0]).toMatch(hint);
  expect(lines[0]).not.toMatch(/canary|Y2FuYXJ5/);
});
