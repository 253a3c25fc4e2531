import { execFile, execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The project's own test bed, where KUBECONFIG is its: only there can nodes be crashed and registries be made up. */
export function presentBed() {
  try {
    const kubeconfig = execFileSync('testbed/kubeconfig', { encoding: 'utf8' }).trim();
    if (kubeconfig !== process.env.KUBECONFIG) return undefined;
    return {
      folder: dirname(kubeconfig),
      /** The machine's own address on the network of the nodes. */
      hostIp: '10.223.0.1',
      fault: (...words: string[]) => run('testbed/fault', words),
    };
  } catch {
    return undefined;
  }
}

export const bed = presentBed();
