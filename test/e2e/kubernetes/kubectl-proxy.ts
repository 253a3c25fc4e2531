import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Where `kubectl proxy` serves what can be read of the API server; unset outside of the tests. */
const PROXY = 'E2E_KUBECTL_PROXY';

/**
 * One for all tests, started and ended by vitest (`globalSetup`). A kubectl of its own takes a third of a second of
 * processor time for each question, and tests that wait ask several times a second. It is read-only.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const kubectl = process.env.KUBECTL ?? 'kubectl';
  const writes = '--reject-methods=POST,PUT,PATCH,DELETE';
  // The shell waits for the end of its input, which comes also where vitest is killed.
  const script = '"$0" proxy --port=0 "$1" & cat >/dev/null; kill "$!"';
  const child = spawn('/bin/sh', ['-c', script, kubectl, writes], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, address] = /^Starting to serve on (\S+)$/.exec(line) ?? [];
    if (address) process.env[PROXY] = `http://${address}`;
    break;
  }
  if (!process.env[PROXY]) throw new Error(`${kubectl} proxy has not started`);
  return async () => {
    child.stdin.end();
    await ended;
  };
}

/** What the API server has at a path; undefined where there is no proxy. @throws Error with its answer, where that is not 200 */
export async function proxied<T>(path: string, timeoutMs: number): Promise<T | undefined> {
  const address = process.env[PROXY];
  if (!address) return undefined;
  const response = await fetch(`${address}${path}`, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
