import { execFile, execFileSync, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What goes over the network between the nodes and fits the filter, for so long: the bytes of a pcap file. */
function capture(filter: string, ms: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('testbed/capture', [filter], { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      // Its first bytes say that it listens.
      if (chunks.length === 0) setTimeout(() => child.kill(), ms);
      chunks.push(chunk);
    });
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', reject);
    child.on('close', () => {
      if (chunks.length > 0) resolve(Buffer.concat(chunks));
      else reject(new Error(`nothing was captured: ${said}`));
    });
  });
}

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
      capture,
    };
  } catch {
    return undefined;
  }
}

export const bed = presentBed();

/** Consul 1.22.2, which few tests want: the test bed builds it where it has to, another cluster pulls it. */
export async function havePreviousConsul(): Promise<void> {
  if (presentBed()) await run('testbed/image', ['consul-previous'], { maxBuffer: 1 << 24 });
}
