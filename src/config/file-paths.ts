import { resolve } from 'node:path';
import type { Config } from './config.ts';
import type { InputValues } from './inputs.ts';
import { quote } from './mistake.ts';
import { isSameFile, outputPath, PathRefusal } from './path.ts';

/** The inputs that name a file to write. */
type FileInput =
  | 'report-path'
  | 'junit-path'
  | 'summary-path'
  | 'report-html'
  | 'manifests-path'
  | 'snapshot-path';

/** The files that a run writes and reads. */
type Paths = 'reportPath' | 'junitPath' | 'summaryPath' | 'manifestsPath' | 'snapshotPath' | 'restorePath';
export type FilePaths = Pick<Config, Paths | 'reportHtml' | 'compare'>;

/** `mistakes` has what speaks against them. */
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
  const kept = values['snapshot-key'] !== undefined || values['snapshot-plain'];
  const snapshotFile = `consul-${values.name ?? ''}.snap${values['snapshot-key'] ? '.age' : ''}`;
  const paths = {
    reportPath: read('report-path'),
    junitPath: read('junit-path'),
    summaryPath: read('summary-path'),
    reportHtml: read('report-html'),
    manifestsPath: read('manifests-path', rendered),
    snapshotPath: read('snapshot-path', kept ? snapshotFile : undefined),
  };
  const files: [name: FileInput, path: string | undefined, what: string][] = [
    ['manifests-path', paths.manifestsPath, 'the manifests go to'],
    ['report-path', paths.reportPath, 'the JSON report goes to'],
    ['junit-path', paths.junitPath, 'the JUnit report goes to'],
    ['summary-path', paths.summaryPath, 'the summary goes to'],
    ['report-html', paths.reportHtml, 'the HTML report goes to'],
    ['snapshot-path', paths.snapshotPath, 'the snapshot goes to'],
  ];
  for (const [index, [name, path]] of files.entries()) {
    for (const [, other, what] of files.slice(0, index)) {
      if (path === undefined || path !== other) continue;
      mistakes.push(`${name}: given ${quote(values[name])}; allowed: another file than ${what}`);
    }
  }
  const toRead = (text: string) => resolve(env.GITHUB_WORKSPACE || '.', text);
  const restorePath = values.restore && toRead(values.restore);
  const { snapshotPath } = paths;
  const isKept = values.mode === 'restore' && restorePath !== undefined && snapshotPath !== undefined;
  if (isKept && isSameFile(restorePath, snapshotPath))
    mistakes.push(
      `snapshot-path: given ${quote(values['snapshot-path'] ?? '')}; allowed: another file than the one to restore, since what is there now goes there`,
    );
  const compare = comparedWith(values.compare, toRead);
  return { ...paths, snapshotPath: snapshotPath ?? '', restorePath, compare, mistakes };
}

/** A file of that name is given as `./cluster`. */
function comparedWith(text: string | undefined, toRead: (text: string) => string): Config['compare'] {
  if (text === undefined) return undefined;
  return text === 'cluster' ? { kind: 'cluster' } : { kind: 'file', path: toRead(text) };
}
