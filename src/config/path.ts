import { lstatSync, realpathSync, statSync } from 'node:fs';
import system, { basename, dirname, join, type PlatformPath, resolve } from 'node:path';

/** Where a path was refused, and why. */
export class PathRefusal {
  readonly allowed: string;
  constructor(allowed: string) {
    this.allowed = allowed;
  }
}

/**
 * The absolute path of a file to write. Relative paths start at GITHUB_WORKSPACE, or the working directory.
 * With GITHUB_WORKSPACE or RUNNER_TEMP set, the file has to be in one of them once symbolic links are followed:
 * a checked out link must not lead a write to the runner's own files.
 */
export function outputPath(text: string, env: NodeJS.ProcessEnv): string | PathRefusal {
  const path = resolve(env.GITHUB_WORKSPACE ?? '', text);
  try {
    const real = realPath(path);
    const roots = ['GITHUB_WORKSPACE', 'RUNNER_TEMP'].filter((name) => env[name]);
    if (roots.length > 0 && !roots.some((name) => isInside(real, realPath(resolve(env[name] ?? ''))))) {
      return new PathRefusal(`a path in ${roots.join(' or ')}, symbolic links followed`);
    }
    if (statSync(real, { throwIfNoEntry: false })?.isDirectory())
      return new PathRefusal('a file, not a directory');
    return path;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    return new PathRefusal(`a path of which every existing part can be followed${code}`);
  }
}

/** With links followed as far as the path exists. A dangling link is an error: writing would follow it. */
function realPath(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false }) || dirname(path) === path) return realpathSync(path);
  return join(realPath(dirname(path)), basename(path));
}

/** Whether both are the same file once symbolic links are followed. */
export function isSameFile(a: string, b: string): boolean {
  try {
    return realPath(a) === realPath(b);
  } catch {
    return a === b;
  }
}

/** @param of the rules of another system than this one, in tests */
export function isInside(
  path: string,
  root: string,
  of: Pick<PlatformPath, 'isAbsolute' | 'relative' | 'sep'> = system,
): boolean {
  const way = of.relative(root, path);
  // From one drive of Windows to another there is no relative way.
  return way !== '' && way !== '..' && !way.startsWith(`..${of.sep}`) && !of.isAbsolute(way);
}
