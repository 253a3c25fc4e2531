import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { openWebSocket } from '../../../src/kubernetes/streams/websocket.ts';

/** Answers every command in a pod, over a real WebSocket. */
export async function kubelet(answer: (pod: string, words: string[]) => string | undefined) {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, handleProtocols: (all) => [...all][0] ?? false });
  const frame = (channel: number, text: string) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);
  sockets.on('connection', (socket, { url = '' }) => {
    const { pathname, searchParams } = new URL(url, 'http://api');
    const said = answer(pathname.split('/').at(-2) ?? '', searchParams.getAll('command').slice(-2));
    if (said === 'drop') return void socket.terminate();
    if (said !== undefined) socket.send(frame(1, `${said}\n`));
    const failed = { status: 'Failure', message: 'command terminated with exit code 137' };
    socket.send(frame(3, JSON.stringify(said === undefined ? failed : { status: 'Success' })));
    socket.close(1000);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    for (const one of sockets.clients) one.terminate();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  return {
    webSocket: (path: string, _: object, protocol: string, stop: AbortSignal) =>
      openWebSocket(`ws://127.0.0.1:${port}${path}`, protocol, {}, stop),
  };
}
