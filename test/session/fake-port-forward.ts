import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FakeServer } from '../kubernetes/fake-server.ts';

/** How many port-forwards there were, and the most that were open at once. */
export interface PortForwards {
  opened: number;
  open: number;
  mostOpen: number;
}

/**
 * Has the API server forward every port of every pod to this agent, by the protocol of the kubelet.
 * @param dial is given the name of the pod, and which of its ports
 */
export function forwardTo(
  api: FakeServer,
  dial: (signal: AbortSignal, pod: string, port: number) => Promise<Duplex>,
): PortForwards {
  const counts: PortForwards = { opened: 0, open: 0, mostOpen: 0 };
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => [...protocols][0] ?? false,
  });
  api.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (pod) => {
      counts.opened += 1;
      counts.open += 1;
      counts.mostOpen = Math.max(counts.mostOpen, counts.open);
      pod.on('close', () => {
        counts.open -= 1;
      });
      const port = portOf(request);
      void bridge(pod, port, (signal) => dial(signal, podOf(request), port.readUInt16LE()));
    });
  });
  onTestFinished(() => {
    for (const pod of sockets.clients) pod.terminate();
    sockets.close();
  });
  return counts;
}

function portOf({ url = '/' }: IncomingMessage): Buffer {
  const port = Buffer.alloc(2);
  port.writeUInt16LE(Number(new URL(url, 'http://host').searchParams.get('ports')));
  return port;
}

function podOf({ url = '/' }: IncomingMessage): string {
  return /\/pods\/([^/]+)\/portforward/.exec(url)?.[1] ?? '';
}

/** Channel 0 carries data and channel 1 errors; each begins with the port. */
async function bridge(pod: WebSocket, port: Buffer, dial: (signal: AbortSignal) => Promise<Duplex>) {
  pod.pause();
  pod.send(Buffer.concat([Buffer.of(0), port]));
  pod.send(Buffer.concat([Buffer.of(1), port]));
  const agent = await dial(AbortSignal.timeout(10_000));
  pod.on('message', (data: Buffer) => agent.write(data.subarray(1)));
  pod.on('close', () => agent.destroy());
  agent.on('data', (bytes: Buffer) => pod.send(Buffer.concat([Buffer.of(0), bytes])));
  // As a kubelet does: an agent that ends its connection, with bytes unread or without, is no error.
  agent.on('error', () => pod.close()).on('close', () => pod.close());
  pod.resume();
}
