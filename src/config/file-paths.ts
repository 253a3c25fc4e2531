import { resolve } from 'node:path';
import type { Config } from './config.ts';
import type { InputValues } from './inputs.ts';
import { quote } from './mistake.ts';
import { outputPath, PathRefusal } from './path.ts';

/** The inputs that name a file to write. */
type FileInput =
  | 'report-path'
  | 'junit-path'
  | 'summary-path'
  | 'report-html'
  | 'manifests-path'
  | 'snapshot-path';

/** The files that a run writes and reads. */
export interface FilePaths {
  reportPath: string | undefined;
  junitPath: string | undefined;
  summaryPath: string | undefined;
  reportHtml: string | undefined;
  manifestsPath: string | undefined;
  snapshotPath: string;
  restorePath: string | undefined;
  compare: Config['compare'];
}

/** Writes nothing; `mistakes` has what speaks against them. */
export function filePaths(
  values: Partial<InputValues>,
  env: NodeJS.ProcessEnv,
): FilePaths & { mistakes: string[] } {
  const mistakes: string[] = [];
  const read = (name: FileInput, fallback?: string) => {
    const text = values[name] ?? fallback;
    if (text === undefined) return undefined;
    const path = outputPath(text, env);
    if (!(path instanceof PathRefusal)) return path;
    mistakes.push(`${name}: given ${quote(text)}; allowed: ${path.allowed}`);
    return undefined;
  };
  const rendered = values.mode === 'render' ? 'consul-manifests.yaml' : undefined;
  const reportPath = read('report-path');
  const junitPath = read('junit-path');
  const summaryPath = read('summary-path');
  const reportHtml = read('report-html');
  const manifestsPath = read('manifests-path', rendered);
  const kept = values['snapshot-key'] !== undefined || values['snapshot-plain'];
  const snapshotFile = `consul-${values.name ?? ''}.snap${values['snapshot-key'] ? '.age' : ''}`;
  const snapshotPath = read('snapshot-path', kept ? snapshotFile : undefined);
  const files: [name: FileInput, path: string | undefined, what: string][] = [
    ['manifests-path', manifestsPath, 'the manifests go to'],
    ['report-path', reportPath, 'the JSON report goes to'],
    ['junit-path', junitPath, 'the JUnit report goes to'],
    ['summary-path', summaryPath, 'the summary goes to'],
    ['report-html', reportHtml, 'the HTML report goes to'],
    ['snapshot-path', snapshotPath, 'the snapshot goes to'],
  ];
  for (const [index, [name, path]] of files.entries()) {
    for (const [, other, what] of files.slice(0, index)) {
      if (path === undefined || path !== other) continue;
      mistakes.push(`${name}: given ${quote(values[name])}; allowed: another file than ${what}`);
    }
  }
  const toRead = (text: string) => resolve(env.GITHUB_WORKSPACE || '.', text);
  const restorePath = values.restore && toRead(values.restore);
  if (restorePath !== undefined && restorePath === snapshotPath && values.mode === 'restore')
    mistakes.push(
      `snapshot-path: given ${quote(values['snapshot-path'] ?? '')}; allowed: another file than the one to restore, since what is there now goes there`,
    );
  return {
    reportPath,
    junitPath,
    summaryPath,
    reportHtml,
    manifestsPath,
    snapshotPath: snapshotPath ?? '',
    restorePath,
    compare: values.compare === undefined ? undefined : comparedWith(values.compare, toRead),
    mistakes,
  };
}

/** A file of that name is given as `./cluster`. */
function comparedWith(text: string, toRead: (text: string) => string): Config['compare'] {
  return text === 'cluster' ? { kind: 'cluster' } : { kind: 'file', path: toRead(text) };
}
