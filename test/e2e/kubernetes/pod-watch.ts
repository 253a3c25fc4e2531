import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isReady, type Pod } from './cluster.ts';

/** A pod as kubectl has just reported it. */
export interface WatchedPod {
  name: string;
  /** Empty while it has none. */
  ip: string;
  ready: boolean;
  /** It was asked to stop. */
  stopping: boolean;
  /** It no longer exists. */
  gone: boolean;
}

/** Watches pods with kubectl until `close` is called. Kubectl may be some hundred milliseconds late. */
export function watchPods(
  namespace: string,
  selector: string,
  onChange: (pod: WatchedPod) => void,
): { close: () => void } {
  const watch = spawn(
    process.env.KUBECTL ?? 'kubectl',
    ['-n', namespace, 'get', 'pods', '-l', selector, '--watch', '-o', 'json', '--output-watch-events'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  createInterface({ input: watch.stdout }).on('line', (line) => {
    const { type, object } = JSON.parse(line) as { type: string; object: Pod };
    const { metadata, status } = object;
    onChange({
      name: metadata.name,
      ip: status.podIP ?? '',
      ready: isReady(object),
      stopping: metadata.deletionTimestamp !== undefined,
      gone: type === 'DELETED',
    });
  });
  return { close: () => void watch.kill() };
}

/** The pods that exist, by name, kept up to date until `close` is called. */
export function livePods(namespace: string, selector: string) {
  const pods = new Map<string, WatchedPod>();
  const watch = watchPods(namespace, selector, (pod) => {
    if (pod.gone) pods.delete(pod.name);
    else pods.set(pod.name, pod);
  });
  return { pods: pods as ReadonlyMap<string, WatchedPod>, close: watch.close };
}
