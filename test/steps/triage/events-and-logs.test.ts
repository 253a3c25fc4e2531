import { expect, test } from 'vitest';
import { Transport } from '../../../src/kubernetes/http/transport.ts';
import { Clues } from '../../../src/steps/triage/events-and-logs.ts';
import { type Handler, json, kubeconfig, signal, startServer, status } from '../../kubernetes/fake-server.ts';

const LOG = { pod: 'consul-server-0', uid: 'u0', container: 'consul', previous: false };

async function cluesOf(answer: Handler) {
  const api = await startServer(answer);
  const transport = await Transport.connect({ yaml: kubeconfig(api.url), userAgent: 'test' });
  return { clues: new Clues(transport, 'consul'), api };
}

const event = (message: string, lastTimestamp: string) => ({ reason: 'FailedMount', message, lastTimestamp });

test('events of one object come the latest first, and are asked for again only when they are no longer fresh', async () => {
  const { clues, api } = await cluesOf((_, response) =>
    json(response, 200, {
      items: [event('first', '2026-01-01T00:00:00Z'), event('second', '2026-01-01T00:00:05Z')],
    }),
  );
  expect(clues.events({ uid: 'u0' })).toEqual([]);
  await clues.ask([{ uid: 'u0' }], [], signal());
  await clues.ask([{ uid: 'u0' }], [], signal());
  expect(clues.events({ uid: 'u0' }).map(({ message }) => message)).toEqual(['second', 'first']);
  expect(api.calls.map(({ path }) => path)).toEqual(['/api/v1/namespaces/consul/events']);
  // The last questions are for what is so now.
  await clues.ask([{ uid: 'u0' }], [], signal(), 0);
  expect(api.calls).toHaveLength(2);
  await clues.ask([{ kind: 'PersistentVolumeClaim', name: 'data-0' }], [], signal());
  expect(clues.events({ kind: 'PersistentVolumeClaim', name: 'data-0' })).toHaveLength(2);
});

test('a log that is not there yet is empty, and one that may not be read is not asked for again', async () => {
  const { clues, api } = await cluesOf(({ path }, response) =>
    path.endsWith('/log')
      ? status(response, 400, { reason: 'BadRequest', message: 'container is waiting to start' })
      : status(response, 403, { reason: 'Forbidden' }),
  );
  await clues.ask([{ uid: 'a' }, { uid: 'b' }], [LOG], signal());
  expect(clues.log(LOG)).toBeUndefined();
  expect([...clues.denied]).toEqual(['events']);
  expect(api.calls).toHaveLength(2);
});

test('an API server that answers is not silent, also when it refuses', async () => {
  const { clues, api } = await cluesOf((_, response) => status(response, 403, { reason: 'Forbidden' }));
  clues.probe(signal());
  await expect.poll(() => api.calls.length).toBe(1);
  expect(clues.silence).toBeUndefined();
});

test('an API server that does not answer is silent, with the cause, until it answers again', async () => {
  let broken = true;
  const { clues } = await cluesOf((_, response) =>
    broken ? response.destroy() : json(response, 200, { gitVersion: 'v1.36.3' }),
  );
  clues.probe(signal());
  await expect.poll(() => clues.silence, { timeout: 10_000 }).toMatch(/nothing within 3 s/);
  broken = false;
  await expect
    .poll(
      () => {
        clues.probe(signal());
        return clues.silence;
      },
      { timeout: 10_000 },
    )
    .toBeUndefined();
});
