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
  const kept = values['snapshot-key'] !== undefined || values['snapshot-plain'];
  /** Where files go that a mode writes in any case. */
  const usual: Partial<Record<FileInput, string>> = {
    ...(values.mode === 'render' && { 'manifests-path': 'consul-manifests.yaml' }),
    ...(kept && {
      'snapshot-path': `consul-${values.name ?? ''}.snap${values['snapshot-key'] ? '.age' : ''}`,
    }),
  };
  const refuse = (name: FileInput, allowed: string) => {
    const given =
      values[name] === undefined ? `nothing, which means ${quote(usual[name])}` : quote(values[name]);
    mistakes.push(`${name}: given ${given}; allowed: ${allowed}`);
  };
  const read = (name: FileInput) => {
    const text = values[name] ?? usual[name];
    if (text === undefined) return undefined;
    const path = outputPath(text, env);
    if (!(path instanceof PathRefusal)) return path;
    refuse(name, path.allowed);
    return undefined;
  };
  const paths = {
    reportPath: read('report-path'),
    junitPath: read('junit-path'),
    summaryPath: read('summary-path'),
    reportHtml: read('report-html'),
    manifestsPath: read('manifests-path'),
    snapshotPath: read('snapshot-path'),
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
      if (path !== undefined && path === other) refuse(name, `another file than ${what}`);
    }
  }
  const toRead = (text: string) => resolve(env.GITHUB_WORKSPACE ?? '', text);
  const restorePath = values.restore && toRead(values.restore);
  const { snapshotPath } = paths;
  const isKept = values.mode === 'restore' && restorePath !== undefined && snapshotPath !== undefined;
  if (isKept && isSameFile(restorePath, snapshotPath))
    refuse('snapshot-path', 'another file than the one to restore, since what is there now goes there');
  const compare = comparedWith(values.compare, toRead);
  return { ...paths, snapshotPath: snapshotPath ?? '', restorePath, compare, mistakes };
}

/** A file of that name is given as `./cluster`. */
function comparedWith(text: string | undefined, toRead: (text: string) => string): Config['compare'] {
  if (text === undefined) return undefined;
  return text === 'cluster' ? { kind: 'cluster' } : { kind: 'file', path: toRead(text) };
}
