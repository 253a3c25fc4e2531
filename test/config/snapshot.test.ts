import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { inputSecrets } from '../../src/config/secret.ts';
import { folder } from '../kubernetes/fake-server.ts';
import { given, mistakes } from './given.ts';

const RECIPIENT = `age1${'q'.repeat(58)}`;
const IDENTITY = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;

function keyOf(text: string) {
  return parseConfig(given({ 'snapshot-key': text })).snapshotKey;
}

describe('snapshot-key', () => {
  test('is one recipient or several, or secret keys, as age-keygen writes them', () => {
    expect(keyOf(RECIPIENT)).toEqual({ kind: 'keys', recipients: [RECIPIENT], identities: [] });
    const file = `# created: 2026-01-01T00:00:00Z\n# public key: ${RECIPIENT}\n${IDENTITY}\n`;
    expect(keyOf(file)).toEqual({ kind: 'keys', recipients: [], identities: [IDENTITY] });
    expect(keyOf(`${RECIPIENT}\n${IDENTITY.toLowerCase()}`)).toEqual({
      kind: 'keys',
      recipients: [RECIPIENT],
      identities: [IDENTITY],
    });
  });

  test('may have blank lines, and lines that end as on Windows', () => {
    expect(keyOf(`${RECIPIENT}\r\n\r\n  ${IDENTITY} \r\n`)).toEqual({
      kind: 'keys',
      recipients: [RECIPIENT],
      identities: [IDENTITY],
    });
  });

  test('is a passphrase otherwise', () => {
    for (const passphrase of ['twelve chars', 'my age1 of some words'])
      expect(keyOf(passphrase)).toEqual({ kind: 'passphrase', passphrase });
  });

  test.each([
    ['too short', 'brief-one', /too short/],
    ['short by one character', 'eleven char', /too short/],
    ['only a comment', '# created: today', /one a line/],
    ['cut off', RECIPIENT.slice(0, -3), /begins as an age key does/],
    ['a secret key that is cut off', IDENTITY.slice(0, -3), /begins as an age key does/],
    ['of two lines that are no keys', 'a long passphrase\nin two lines', /one a line/],
  ])('that is %s is refused, and not repeated', (_, text, why) => {
    const [line = '', ...others] = mistakes({ 'snapshot-key': text });
    expect(others).toEqual([]);
    expect(line).toMatch(why);
    expect(line).not.toContain(text);
  });

  test('is masked, but for what is public', () => {
    const secrets = (text: string) => inputSecrets(parseConfig(given({ 'snapshot-key': text })));
    expect(secrets(`${RECIPIENT}\n${IDENTITY}`)).toEqual([IDENTITY]);
    expect(secrets('a long passphrase')).toEqual(['a long passphrase']);
  });
});

test('the file is named after the deployment, and says whether it is encrypted', () => {
  const path = (inputs: Record<string, string>) => parseConfig(given(inputs)).snapshotPath;
  expect(path({})).toBe('');
  expect(path({ name: 'c2', 'snapshot-plain': 'true' })).toMatch(/\/consul-c2\.snap$/);
  expect(path({ name: 'c2', 'snapshot-key': RECIPIENT })).toMatch(/\/consul-c2\.snap\.age$/);
});

test('compare is the cluster, or a file that is found from the workspace', () => {
  const compare = (text: string) =>
    parseConfig({
      ...given({ mode: 'inspect', restore: 'a.snap', compare: text }),
      GITHUB_WORKSPACE: '/workspace',
    }).compare;
  expect(compare('')).toBeUndefined();
  expect(compare('cluster')).toEqual({ kind: 'cluster' });
  expect(compare('./cluster')).toEqual({ kind: 'file', path: '/workspace/cluster' });
  expect(compare('old/b.snap')).toEqual({ kind: 'file', path: '/workspace/old/b.snap' });
  expect(compare('/tmp/b.snap')).toEqual({ kind: 'file', path: '/tmp/b.snap' });
});

test.each<[string, Record<string, string>]>([
  ['the same path', { restore: 'real/a.snap', 'snapshot-path': 'real/a.snap' }],
  ['a link to the file', { restore: 'link.snap', 'snapshot-path': 'real/a.snap' }],
  ['a file in a folder that is a link', { restore: 'link/a.snap', 'snapshot-path': 'real/a.snap' }],
  ['a file that is not there, by two ways', { restore: 'link/b.snap', 'snapshot-path': 'real/b.snap' }],
])('what there is now does not go where the snapshot to restore is: %s', async (_, inputs) => {
  const at = await folder();
  await mkdir(join(at, 'real'));
  await writeFile(join(at, 'real/a.snap'), '');
  await symlink('real', join(at, 'link'));
  await symlink('real/a.snap', join(at, 'link.snap'));
  const rest = { mode: 'restore', confirm: 'consul', 'snapshot-plain': 'true' };
  const wrong = (change: Record<string, string>) =>
    mistakes({ ...rest, ...inputs, ...change }, { GITHUB_WORKSPACE: at });
  expect(wrong({})).toEqual([expect.stringMatching(/another file than the one to restore/)]);
  expect(wrong({ 'snapshot-path': 'real/c.snap' })).toEqual([]);
});

test.each<[Record<string, string>, string]>([
  [
    { 'report-path': 'consul-c2.snap' },
    'snapshot-path: given nothing, which means "consul-c2.snap"; allowed: another file than the JSON report goes to',
  ],
  [
    { mode: 'restore', confirm: 'c2', restore: 'consul-c2.snap' },
    'snapshot-path: given nothing, which means "consul-c2.snap"; allowed: another file than the one to restore, since what is there now goes there',
  ],
])('the usual file of a snapshot is named where it is in the way: %j', (inputs, line) => {
  expect(mistakes({ name: 'c2', 'snapshot-plain': 'true', ...inputs })).toEqual([line]);
});

describe('what does not go together', () => {
  const WHAT: Record<string, string> = {
    'junit-path': 'the JUnit report goes to',
    'summary-path': 'the summary goes to',
    'report-html': 'the HTML report goes to',
    'manifests-path': 'the manifests go to',
  };
  const KEY = { 'snapshot-key': 'a long passphrase' };
  const RESTORE = { mode: 'restore', restore: 'a.snap', confirm: 'consul' };

  const CONFIRM = 'the name of the cluster whose data is replaced';
  const NONE = 'a key or a passphrase with mode';
  test.each<[Record<string, string>, string]>([
    [
      { mode: 'snapshot' },
      `snapshot-key: given nothing; allowed: ${NONE} snapshot, which holds secrets; or snapshot-plain: true`,
    ],
    [
      { snapshot: 'always' },
      'snapshot: given "always"; allowed: always together with snapshot-key, or with snapshot-plain: true',
    ],
    [
      { ...KEY, 'snapshot-plain': 'true' },
      'snapshot-plain: given "true"; allowed: false with snapshot-key, with which snapshots are encrypted',
    ],
    [
      { ...KEY, ...RESTORE, restore: '' },
      'restore: given nothing; allowed: the file with the snapshot, with mode restore',
    ],
    [{ ...KEY, ...RESTORE, confirm: '' }, `confirm: given nothing; allowed: "consul", ${CONFIRM}`],
    [{ ...KEY, ...RESTORE, confirm: 'other' }, `confirm: given "other"; allowed: "consul", ${CONFIRM}`],
    [
      RESTORE,
      `snapshot-key: given nothing; allowed: ${NONE} restore, for what is there now; or snapshot-plain: true`,
    ],
    [
      { ...KEY, ...RESTORE, 'snapshot-path': 'a.snap' },
      'snapshot-path: given "a.snap"; allowed: another file than the one to restore, since what is there now goes there',
    ],
    [
      { ...KEY, restore: 'a.snap' },
      'restore: given "a.snap"; allowed: nothing with mode deploy; only restore, rehearse and inspect read it',
    ],
    [{ mode: 'rehearse' }, 'restore: given nothing; allowed: the file with the snapshot, with mode rehearse'],
    [
      { ...KEY, from: 'survivor' },
      'from: given "survivor"; allowed: snapshot with mode deploy; only restore knows another',
    ],
    [
      { ...KEY, ...RESTORE, from: 'survivor' },
      'restore: given "a.snap"; allowed: nothing with from survivor, which brings back what a server has',
    ],
    [{ ...KEY, mode: 'restore', from: 'survivor' }, `confirm: given nothing; allowed: "consul", ${CONFIRM}`],
    [
      { mode: 'restore', from: 'survivor', confirm: 'consul' },
      `snapshot-key: given nothing; allowed: ${NONE} restore, for what is there now; or snapshot-plain: true`,
    ],
    [{ mode: 'inspect' }, 'restore: given nothing; allowed: the file with the snapshot, with mode inspect'],
    [
      { mode: 'snapshot', ...KEY, compare: 'cluster' },
      'compare: given "cluster"; allowed: nothing with mode snapshot; only inspect compares',
    ],
    [
      { compare: 'b.snap' },
      'compare: given "b.snap"; allowed: nothing with mode deploy; only inspect compares',
    ],
    [
      { rehearse: 'true' },
      'rehearse: given "true"; allowed: nothing with mode deploy; verify rehearses with it, and mode rehearse a file',
    ],
    [
      { mode: 'rehearse', restore: 'a.snap', rehearse: 'true' },
      'rehearse: given "true"; allowed: nothing with mode rehearse; verify rehearses with it, and mode rehearse a file',
    ],
    [
      { ...KEY, 'snapshot-path': 'r.json', 'report-path': 'r.json' },
      'snapshot-path: given "r.json"; allowed: another file than the JSON report goes to',
    ],
    ...['junit-path', 'summary-path', 'report-html', 'manifests-path'].map(
      (name): [Record<string, string>, string] => [
        { ...KEY, 'snapshot-path': 'x', [name]: 'x' },
        `snapshot-path: given "x"; allowed: another file than ${WHAT[name]}`,
      ],
    ),
  ])('%j', (inputs, line) => {
    expect(mistakes(inputs)).toEqual([line]);
  });

  test('a key that is wrong itself is the one mistake: nothing more is said of a key that is not there', () => {
    const wanting: Record<string, string>[] = [{ mode: 'snapshot' }, RESTORE, { snapshot: 'always' }];
    for (const inputs of wanting)
      expect(mistakes({ ...inputs, 'snapshot-key': 'brief' })).toEqual([expect.stringMatching(/too short$/)]);
    expect(mistakes({ ...KEY, mode: 'inspect', restore: 'a\nb' })).toEqual([
      expect.stringMatching(/^restore: /),
    ]);
  });

  test.each<Record<string, string>>([
    { mode: 'snapshot', ...KEY },
    { mode: 'verify', rehearse: 'true' },
    { mode: 'snapshot', 'snapshot-plain': 'true' },
    { ...KEY, ...RESTORE },
    { ...KEY, mode: 'restore', from: 'survivor', confirm: 'consul' },
    { mode: 'rehearse', restore: 'a.snap' },
    // The file of last night, under the name that this night's would have.
    { mode: 'rehearse', restore: 'consul-consul.snap.age', ...KEY },
    { mode: 'inspect', restore: 'a.snap' },
    { mode: 'inspect', restore: 'consul-consul.snap.age', ...KEY, compare: 'cluster' },
    { mode: 'inspect', restore: 'a.snap', compare: 'b.snap' },
    { snapshot: 'always', ...KEY },
  ])('and what does: %j', (inputs) => {
    expect(mistakes(inputs)).toEqual([]);
  });
});
