import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { runInPod } from '../../../src/kubernetes/streams/command.ts';
import { openWebSocket } from '../../../src/kubernetes/streams/websocket.ts';
import { signal } from '../fake-server.ts';

const frame = (channel: number, text: string) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

/** Stands in for the API server and the kubelet. */
async function kubelet(play: (pod: WebSocket) => void) {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, handleProtocols: (all) => [...all][0] ?? false });
  const asked: { url: URL; protocol: string }[] = [];
  sockets.on('connection', (pod, { url }) => {
    asked.push({ url: new URL(url ?? '', 'http://api'), protocol: pod.protocol });
    play(pod);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    for (const pod of sockets.clients) pod.terminate();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  const transport = {
    webSocket: (path: string, _query: object, protocol: string, stop: AbortSignal) =>
      openWebSocket(`ws://127.0.0.1:${port}${path}`, protocol, {}, stop),
  };
  const run = (stop = signal()) =>
    runInPod(transport, {
      namespace: 'consul',
      pod: 'consul-client-0',
      container: 'consul',
      command: ['sh', '-c', 'cat "$1"/*', 'sh', '/consul/data'],
      signal: stop,
    });
  return { run, asked };
}

test('a command says what it wrote, in pieces or at once, and is asked for word by word', async () => {
  const { run, asked } = await kubelet((pod) => {
    pod.send(frame(1, ''));
    pod.send(frame(1, 'one '));
    pod.send(frame(2, 'a warning'));
    // In the midst of a character.
    const text = Buffer.from('zwei ä');
    pod.send(Buffer.concat([Buffer.of(1), text.subarray(0, -1)]));
    pod.send(Buffer.concat([Buffer.of(1), text.subarray(-1)]));
    pod.send(frame(3, '{"metadata":{},"status":"Success"}'));
    pod.close(1000);
  });
  expect(await run()).toBe('one zwei ä');
  const [{ url, protocol } = { url: new URL('http://none'), protocol: '' }] = asked;
  expect(protocol).toBe('v4.channel.k8s.io');
  expect(url.pathname).toBe('/api/v1/namespaces/consul/pods/consul-client-0/exec');
  expect(url.searchParams.getAll('command')).toEqual(['sh', '-c', 'cat "$1"/*', 'sh', '/consul/data']);
  expect(url.searchParams.get('container')).toBe('consul');
  expect(url.searchParams.has('stdin')).toBe(false);
});

test('a command that fails says why', async () => {
  const { run } = await kubelet((pod) => {
    pod.send(frame(2, 'sh: not found'));
    pod.send(frame(3, '{"status":"Failure","message":"command terminated with exit code 127"}'));
    pod.close(1000);
  });
  await expect(run()).rejects.toMatchObject({
    reason: 'rejected',
    what: expect.stringMatching(/exit code 127; sh: not found/),
  });
});

test('a connection that breaks is no end of a command', async () => {
  const { run } = await kubelet((pod) => {
    pod.send(frame(1, 'half of'));
    pod.terminate();
  });
  await expect(run()).rejects.toMatchObject({ reason: 'unreachable' });
});

test('a command ends with its signal', async () => {
  const { run } = await kubelet(() => undefined);
  const over = new AbortController();
  const running = run(over.signal);
  setTimeout(() => over.abort(new Error('over')), 50);
  await expect(running).rejects.toThrow('over');
});
