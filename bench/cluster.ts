import { execFileSync } from 'node:child_process';
import { homedir } from 'node:os';

/** Brings up the test bed when no other cluster is named, and takes it down again if it was not up before. */
export async function withCluster(work: () => Promise<void>): Promise<string> {
  const bed = !process.env.KUBECONFIG;
  const wasUp = bed && succeeds('testbed/kubeconfig');
  if (bed) process.env.KUBECONFIG = output('testbed/up').trim();
  process.env.KUBECTL ??= succeeds('kubectl', 'version', '--client')
    ? 'kubectl'
    : `${process.env.XDG_CACHE_HOME ?? `${homedir()}/.cache`}/consul-deploy/testbed/bin/kubectl`;
  try {
    await work();
    return JSON.parse(output(process.env.KUBECTL, 'version', '-o', 'json')).serverVersion.gitVersion;
  } finally {
    if (bed && !wasUp) output('testbed/down');
  }
}

function output(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function succeeds(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
