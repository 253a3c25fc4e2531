import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A server's pod as kubectl has just told it; what it does not have is empty. */
export interface ServerPod {
  name: string;
  ip: string;
  deleted: string;
}

/** Watches the pods of the servers with kubectl until `close` is called. */
export function watchServers(namespace: string, onChange: (pod: ServerPod) => void): { close: () => void } {
  const row = '{.metadata.name} {.status.podIP} {.metadata.deletionTimestamp}{"\\n"}';
  const watch = spawn(
    process.env.KUBECTL ?? 'kubectl',
    ['-n', namespace, 'get', 'pods', '-l=consul-role=server', '--watch', `--output=jsonpath=${row}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  createInterface({ input: watch.stdout }).on('line', (line) => {
    const [name = '', ip = '', deleted = ''] = line.split(' ');
    onChange({ name, ip, deleted });
  });
  return { close: () => void watch.kill() };
}
