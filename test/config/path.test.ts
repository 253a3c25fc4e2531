import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { isInside, isSameFile } from '../../src/config/path.ts';
import { given, mistakes } from './given.ts';

let root: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'path-')));
  for (const name of ['work', 'work/out', 'temp', 'outside', 'work2']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'work/file'), '');
  symlinkSync(join(root, 'outside'), join(root, 'work/away'));
  symlinkSync(join(root, 'outside/missing'), join(root, 'work/dangling'));
  symlinkSync('loop', join(root, 'work/loop'));
  symlinkSync(join(root, 'work'), join(root, 'link-to-work'));
  env = { GITHUB_WORKSPACE: join(root, 'work'), RUNNER_TEMP: join(root, 'temp') };
});
afterAll(() => rmSync(root, { recursive: true }));

const path = (text: string, variables = env) =>
  parseConfig({ ...variables, ...given({ 'report-path': text }) }).reportPath;

describe('output paths', () => {
  test('relative paths start at the workspace, also where parts of them do not exist yet', () => {
    expect(path('report.json')).toBe(join(root, 'work/report.json'));
    expect(path('a/b/report.json')).toBe(join(root, 'work/a/b/report.json'));
    expect(path('out/../file')).toBe(join(root, 'work/file'));
    expect(path('..data')).toBe(join(root, 'work/..data'));
  });

  test('the temporary directory of the runner is allowed, and a workspace that is itself a link', () => {
    expect(path(join(root, 'temp/r.json'))).toBe(join(root, 'temp/r.json'));
    expect(path('r.json', { GITHUB_WORKSPACE: join(root, 'link-to-work') })).toBe(
      join(root, 'link-to-work/r.json'),
    );
  });

  test('without either variable any path goes', () => {
    expect(path(join(root, 'outside/r.json'), {})).toBe(join(root, 'outside/r.json'));
    expect(path('r.json', {})).toBe(join(process.cwd(), 'r.json'));
  });

  test.each(['../r.json', '../work2/r.json', '/etc/passwd', 'away/r.json', 'away', '../outside/r.json', '.'])(
    '%s leads out of the workspace',
    (text) => {
      expect(mistakes({ 'report-path': text }, env)).toEqual([
        `report-path: given "${text}"; allowed: a path in GITHUB_WORKSPACE or RUNNER_TEMP, symbolic links followed`,
      ]);
    },
  );

  test.each([
    ['dangling', 'a path of which every existing part can be followed (ENOENT)'],
    ['loop/r.json', 'a path of which every existing part can be followed (ELOOP)'],
    ['file/r.json', 'a path of which every existing part can be followed (ENOTDIR)'],
    ['out', 'a file, not a directory'],
  ])('%s is refused', (text, allowed) => {
    expect(mistakes({ 'manifests-path': text }, env)).toEqual([
      `manifests-path: given "${text}"; allowed: ${allowed}`,
    ]);
  });

  test('render writes its manifests to the workspace unless told otherwise', () => {
    const manifests = (inputs: Record<string, string>) =>
      parseConfig({ ...env, ...given(inputs) }).manifestsPath;
    expect(manifests({ mode: 'render' })).toBe(join(root, 'work/consul-manifests.yaml'));
    expect(manifests({ mode: 'render', 'manifests-path': 'm.yaml' })).toBe(join(root, 'work/m.yaml'));
    expect(manifests({ mode: 'deploy' })).toBeUndefined();
  });

  test('junit-path is one like the others', () => {
    const junit = (text: string) => parseConfig({ ...env, ...given({ 'junit-path': text }) }).junitPath;
    expect(junit('out/junit.xml')).toBe(join(root, 'work/out/junit.xml'));
    expect(junit('')).toBeUndefined();
    expect(mistakes({ 'junit-path': '../j.xml' }, env)).toEqual([
      'junit-path: given "../j.xml"; allowed: a path in GITHUB_WORKSPACE or RUNNER_TEMP, symbolic links followed',
    ]);
  });

  test('report-html is one like the others', () => {
    const page = (text: string) => parseConfig({ ...env, ...given({ 'report-html': text }) }).reportHtml;
    expect(page('out/report.html')).toBe(join(root, 'work/out/report.html'));
    expect(page('')).toBeUndefined();
    expect(mistakes({ 'report-html': '../r.html' }, env)).toEqual([
      'report-html: given "../r.html"; allowed: a path in GITHUB_WORKSPACE or RUNNER_TEMP, symbolic links followed',
    ]);
  });

  test('reports and manifests need a file each', () => {
    expect(mistakes({ 'report-path': 'out/../x', 'manifests-path': 'x' }, env)).toEqual([
      'report-path: given "out/../x"; allowed: another file than the manifests go to',
    ]);
    expect(mistakes({ 'junit-path': 'out/../x', 'manifests-path': 'x' }, env)).toEqual([
      'junit-path: given "out/../x"; allowed: another file than the manifests go to',
    ]);
    expect(mistakes({ 'report-path': 'x', 'junit-path': 'out/../x' }, env)).toEqual([
      'junit-path: given "out/../x"; allowed: another file than the JSON report goes to',
    ]);
    expect(mistakes({ 'summary-path': 'x', 'report-path': 'x' }, env)).toEqual([
      'summary-path: given "x"; allowed: another file than the JSON report goes to',
    ]);
    expect(mistakes({ 'report-html': 'x', 'report-path': 'out/../x' }, env)).toEqual([
      'report-html: given "x"; allowed: another file than the JSON report goes to',
    ]);
    expect(mistakes({ mode: 'render', 'junit-path': 'consul-manifests.yaml' }, env)).toEqual([
      'junit-path: given "consul-manifests.yaml"; allowed: another file than the manifests go to',
    ]);
  });
});

describe('a path is inside of a folder', () => {
  test.each([
    ['D:\\a\\work\\report.json', true],
    ['D:\\a\\work\\out\\..data', true],
    ['d:\\A\\Work\\report.json', true],
    ['D:\\a\\work', false],
    ['D:\\a\\work2\\report.json', false],
    ['D:\\a\\report.json', false],
    ['D:\\a', false],
    ['C:\\Users\\runner\\report.json', false],
    ['\\\\server\\share\\report.json', false],
  ])('on Windows: %s in D:\\a\\work: %s', (path, inside) => {
    expect(isInside(path, 'D:\\a\\work', win32)).toBe(inside);
  });

  test.each([
    ['/a/work/report.json', true],
    ['/a/work2/report.json', false],
    ['/c/report.json', false],
    ['/a', false],
    ['/a/work', false],
    ['/a/..work', false],
    ['/a/work/...', true],
  ])('elsewhere: %s in /a/work: %s', (path, inside) => {
    expect(isInside(path, '/a/work', posix)).toBe(inside);
  });
});

test('files are the same by the way that links lead, or by name where those lead nowhere', () => {
  const same = (a: string, b: string) => isSameFile(join(root, a), join(root, b));
  expect(same('work/file', 'link-to-work/file')).toBe(true);
  expect(same('work/file', 'work/other')).toBe(false);
  expect(same('work/loop/a', 'work/loop/a')).toBe(true);
  expect(same('work/loop/a', 'work/loop/b')).toBe(false);
});
