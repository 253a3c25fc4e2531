import type { RawData, WebSocket } from 'ws';
import { Failure } from '../../failure.ts';
import { isJsonObject } from '../json.ts';
import type { PortForwardTransport } from './portforward.ts';

export interface PodCommand {
  namespace: string;
  pod: string;
  container: string;
  command: readonly string[];
  signal: AbortSignal;
  /** Is told each line as soon as it is there. */
  onLine?: (line: string) => void;
}

/** One byte before each message says which stream it belongs to. */
const PROTOCOL = 'v4.channel.k8s.io';
const STDOUT = 1;
const STDERR = 2;
/** A `metav1.Status` that tells how the command ended. */
const ENDED = 3;
/** What an agent keeps of its services is a thousandth of it. */
const MOST_OUTPUT = 16 * 1024 * 1024;
const LONGEST_COMPLAINT = 300;

/**
 * Runs a command in a container and returns what it wrote to its standard output.
 * @throws ApiError when the API server refuses, Failure `rejected` when the command fails, Failure `unreachable`
 *   when the connection breaks, or the reason of the signal
 */
export async function runInPod(
  transport: PortForwardTransport,
  { namespace, pod, container, command, signal, onLine }: PodCommand,
): Promise<string> {
  const query = new URLSearchParams({ container, stdout: 'true', stderr: 'true' });
  for (const word of command) query.append('command', word);
  const names = [namespace, pod].map(encodeURIComponent);
  const path = `/api/v1/namespaces/${names[0]}/pods/${names[1]}/exec?${query}`;
  const socket = await transport.webSocket(path, {}, PROTOCOL, signal);
  try {
    return await output(socket, `Pod ${namespace}/${pod}`, signal, onLine);
  } finally {
    // A socket that is torn down may still report an error, and an error nobody hears ends the process.
    socket.on('error', () => undefined);
    socket.terminate();
  }
}

function output(
  socket: WebSocket,
  where: string,
  signal: AbortSignal,
  onLine: PodCommand['onLine'],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Record<number, Buffer[]> = { [STDOUT]: [], [STDERR]: [] };
    let size = 0;
    let ended: string | undefined;
    let told = 0;
    const tellLines = () => {
      const lines = text(STDOUT).split('\n').slice(0, -1);
      for (const line of lines.slice(told)) onLine?.(line);
      told = lines.length;
    };
    const text = (channel: number) => Buffer.concat(chunks[channel] ?? []).toString('utf8');
    const broken = (what: string, cause?: unknown) =>
      new Failure({
        reason: 'unreachable',
        what: `the command in the pod failed: ${what}`,
        where,
        hint: 'Either the pod is gone or restarting, or its node cannot be reached; see the state of the pod.',
        cause,
      });
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('message', (data: RawData) => {
      const bytes = Buffer.isBuffer(data)
        ? data
        : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
      const [channel] = bytes;
      const content = bytes.subarray(1);
      if (channel === ENDED) ended = (ended ?? '') + content.toString('utf8');
      else if (channel !== undefined) chunks[channel]?.push(content);
      if (onLine && channel === STDOUT) tellLines();
      size += content.length;
      if (size > MOST_OUTPUT) reject(broken(`more than ${MOST_OUTPUT / 1024 / 1024} MiB of output`));
    });
    socket.on('error', (error) => reject(broken('the connection was lost', error)));
    socket.on('close', (code) => {
      signal.removeEventListener('abort', abort);
      if (ended === undefined)
        return reject(broken(`the connection was lost (WebSocket close code ${code})`));
      const failed = complaint(ended);
      if (failed === undefined) return resolve(text(STDOUT));
      reject(
        new Failure({
          reason: 'rejected',
          what: `the command in the pod failed: ${failed}; ${text(STDERR).trim()}`.slice(
            0,
            LONGEST_COMPLAINT,
          ),
          where,
          hint: 'The image needs a shell (`sh`) for this.',
        }),
      );
    });
    if (socket.readyState === socket.CLOSED) reject(broken('the connection was closed'));
    else socket.resume();
  });
}

/** Why the command did not end well; undefined when it did. */
function complaint(status: string): string | undefined {
  try {
    const value: unknown = JSON.parse(status);
    if (isJsonObject(value))
      return value.status === 'Success' ? undefined : String(value.message ?? 'no reason given');
  } catch {
    // Told as it is.
  }
  return status;
}
