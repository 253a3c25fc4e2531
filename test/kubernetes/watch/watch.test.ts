import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failure.ts';
import { watchResource } from '../../../src/kubernetes/watch/watch.ts';
import type { WatchTiming, WatchTransport } from '../../../src/kubernetes/watch/watch-spec.ts';
import {
  type Answer,
  added,
  bookmark,
  broken,
  deleted,
  FakeApiServer,
  failed,
  initialEnd,
  list,
  modified,
  open,
  over,
  refuse,
  unsupported,
} from './fake-watch.ts';

const PODS = '/api/v1/namespaces/consul/pods';
const FAST: Partial<WatchTiming> = { backoffMs: 1, backoffCapMs: 5 };

let server: FakeApiServer;
let stop: AbortController;
let watching: Promise<void>;
/** What the watch told: `+a`, `-a`, `synced`. */
let told: string[];
let listeners: (() => void)[];

beforeEach(() => {
  stop = new AbortController();
  told = [];
  listeners = [];
});
afterEach(async () => {
  stop.abort();
  await watching.catch(() => undefined);
  await server.end();
});

async function watch(answers: Answer[], timing: Partial<WatchTiming> = {}): Promise<void> {
  server = new FakeApiServer(...answers);
  await server.start();
  follow(server.transport, timing);
}

function follow(transport: WatchTransport, timing: Partial<WatchTiming> = {}): void {
  const spec = {
    path: PODS,
    labelSelector: 'app=consul',
    fieldSelector: 'status.phase!=Failed',
    project: (raw: { apiVersion: string; kind: string }) => `${raw.apiVersion} ${raw.kind}`,
  };
  watching = watchResource(
    transport,
    spec,
    (event) => {
      if (event.type === 'synced') told.push('synced');
      else if (event.type === 'delete') told.push(`-${event.name}`);
      else told.push(event.object === 'v1 Pod' ? `+${event.name}` : `?${event.object}`);
      for (const listener of listeners) listener();
    },
    { signal: stop.signal, timing: { ...FAST, ...timing } },
  );
  // Its end is looked at by some tests only.
  watching.catch(() => undefined);
}

/** Resolves once the watch has told so much; if it ends before, fails with its error. */
async function tells(count: number): Promise<string[]> {
  const enough = new Promise<void>((resolve) => {
    const look = () => {
      if (told.length >= count) resolve();
    };
    listeners.push(look);
    look();
  });
  await Promise.race([enough, watching]);
  return told;
}

describe('watchResource', () => {
  it('begins with a streaming list and goes on with the changes', async () => {
    await watch([open(added('a', 3), added('b', 5), initialEnd(7), modified('a', 8), deleted('b', 9))]);
    expect(await tells(5)).toEqual(['+a', '+b', 'synced', '+a', '-b']);
    expect(Object.fromEntries(server.queries[0] ?? [])).toMatchObject({
      watch: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
      labelSelector: 'app=consul',
      fieldSelector: 'status.phase!=Failed',
    });
    expect(Number(server.queries[0]?.get('timeoutSeconds'))).toBeGreaterThanOrEqual(240);
  });

  it.each([400, 422])('lists page by page where streaming lists are unknown (%i)', async (status) => {
    await watch([
      refuse(status, 'Invalid'),
      list(20, ['a', 'b'], 'page-2'),
      list(20, ['c']),
      open(modified('b', 21)),
    ]);
    expect(await tells(5)).toEqual(['+a', '+b', '+c', 'synced', '+b']);
    const [, first, second, resumed] = server.queries;
    expect(first?.get('limit')).toBe('500');
    expect(first?.get('labelSelector')).toBe('app=consul');
    expect(second?.get('continue')).toBe('page-2');
    expect(resumed?.get('resourceVersion')).toBe('20');
    expect(resumed?.has('sendInitialEvents')).toBe(false);
  });

  it('lists where the server ignores the wish for a streaming list', async () => {
    await watch([open(added('a', 1)), list(2, ['a']), open(added('b', 3))], { bookmarkMs: 50 });
    expect(await tells(4)).toEqual(['+a', '+a', 'synced', '+b']);
    expect(server.queries[1]?.has('watch')).toBe(false);
  });

  it('resumes after the last event or bookmark when the stream ends', async () => {
    await watch([
      over(added('a', 3), initialEnd(7)),
      over(modified('a', 8)),
      over(bookmark(12)),
      open(deleted('a', 13)),
    ]);
    expect(await tells(4)).toEqual(['+a', 'synced', '+a', '-a']);
    expect(server.queries.slice(1).map((query) => query.get('resourceVersion'))).toEqual(['7', '8', '12']);
    // One for the stream of now, none for those before.
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
  });

  it('drops an incomplete last line, whose event comes again', async () => {
    await watch([
      broken(added('a', 3), initialEnd(7), modified('a', 8).slice(0, 40)),
      open(modified('a', 8), deleted('a', 9)),
    ]);
    expect(await tells(4)).toEqual(['+a', 'synced', '+a', '-a']);
    expect(server.queries[1]?.get('resourceVersion')).toBe('7');
  });

  it.each([
    ['as an event', over(failed(410, 'Expired'))],
    ['as the answer', refuse(410, 'Expired')],
  ])('lists again when the version has expired, %s, and tells what vanished', async (_, expired) => {
    await watch([
      over(added('a', 3), added('b', 4), initialEnd(7)),
      expired,
      open(added('b', 30), added('c', 31), initialEnd(40), modified('c', 41)),
    ]);
    expect(await tells(8)).toEqual(['+a', '+b', 'synced', '+b', '+c', '-a', 'synced', '+c']);
    expect(server.queries[2]?.get('sendInitialEvents')).toBe('true');
  });

  it('lists again after an error event that says nothing about the version', async () => {
    await watch([over(added('a', 3), initialEnd(7), failed(500, 'InternalError')), open(initialEnd(50))]);
    expect(await tells(4)).toEqual(['+a', 'synced', '-a', 'synced']);
    expect(server.queries[1]?.has('resourceVersion')).toBe(false);
  });

  it('keeps the version through an overload', async () => {
    await watch([
      over(added('a', 3), initialEnd(7), failed(429, 'TooManyRequests')),
      refuse(429, 'TooManyRequests', { 'retry-after': '0' }),
      refuse(503, 'ServiceUnavailable'),
      refuse(500, 'InternalError'),
      open(deleted('a', 9)),
    ]);
    expect(await tells(3)).toEqual(['+a', 'synced', '-a']);
    expect(server.queries.slice(1).map((query) => query.get('resourceVersion'))).toEqual([
      '7',
      '7',
      '7',
      '7',
    ]);
  });

  it('waits as long as the server asks, and no longer than the signal lets it', async () => {
    await watch([refuse(429, 'TooManyRequests', { 'retry-after': '30' })]);
    await expect.poll(() => server.queries.length).toBe(1);
    stop.abort();
    await watching;
    expect(server.queries).toHaveLength(1);
  });

  it('starts a broken streaming list again and tells what vanished meanwhile', async () => {
    await watch([broken(added('a', 3), added('b', 4)), open(added('b', 4), initialEnd(9))]);
    expect(await tells(5)).toEqual(['+a', '+b', '+b', '-a', 'synced']);
    expect(server.queries[1]?.has('resourceVersion')).toBe(false);
  });

  it('starts the list again when its pages have expired', async () => {
    await watch([
      unsupported,
      list(20, ['a'], 'page-2'),
      refuse(410, 'Expired'),
      list(30, ['b']),
      open(modified('b', 31)),
    ]);
    expect(await tells(5)).toEqual(['+a', '+b', '-a', 'synced', '+b']);
  });

  it('reconnects when the stream falls silent', async () => {
    await watch([open(added('a', 3), initialEnd(7)), open(deleted('a', 8))], { silenceMs: 50 });
    expect((await tells(3)).slice(0, 3)).toEqual(['+a', 'synced', '-a']);
    expect(server.queries[1]?.get('resourceVersion')).toBe('7');
  });

  it('reconnects when a request is never answered', async () => {
    await watch([() => undefined, open(added('a', 3), initialEnd(7))], { silenceMs: 50 });
    expect((await tells(2)).slice(0, 2)).toEqual(['+a', 'synced']);
  });

  it('lives through an API server that goes away', async () => {
    await watch([open(added('a', 3), initialEnd(7)), open(deleted('a', 8))]);
    await tells(2);
    let refusals = 0;
    const { transport } = server;
    const stream = transport.stream;
    const refusedOften = new Promise<void>((resolve) => {
      transport.stream = async (call) => {
        try {
          return await stream(call);
        } catch (error) {
          refusals += 1;
          if (refusals === 3) resolve();
          throw error;
        }
      };
    });
    await server.stop();
    await refusedOften;
    await server.start();
    expect(await tells(3)).toEqual(['+a', 'synced', '-a']);
  });

  it.each([
    [401, 'Unauthorized'],
    [403, 'Forbidden'],
    [404, 'NotFound'],
  ])('rejects when it is refused (%i)', async (status, reason) => {
    await watch([refuse(status, reason)]);
    await expect(watching).rejects.toMatchObject({ name: 'ApiError', status, reason });
  });

  it('rejects when the list is refused', async () => {
    await watch([unsupported, refuse(403, 'Forbidden')]);
    await expect(watching).rejects.toMatchObject({ status: 403 });
  });

  it('rejects when the credentials fail', async () => {
    const failure = new Failure({ reason: 'kubeconfig', what: 'no credentials' });
    server = new FakeApiServer();
    follow({ ...server.transport, stream: () => Promise.reject(failure) });
    await expect(watching).rejects.toBe(failure);
  });

  it('bears a refusal for a while once it has worked', async () => {
    const worked = over(added('a', 3), initialEnd(7));
    await watch([worked, refuse(403, 'Forbidden'), refuse(401, 'Unauthorized'), open(initialEnd(9))]);
    expect(await tells(4)).toEqual(['+a', 'synced', '-a', 'synced']);
  });

  it('rejects when it stays refused', async () => {
    await watch([over(added('a', 3), initialEnd(7)), refuse(403, 'Forbidden')], { refusalMs: 0 });
    await expect(watching).rejects.toMatchObject({ status: 403 });
    expect(told).toEqual(['+a', 'synced']);
  });

  it('rejects with what a callback throws, and does not try again', async () => {
    const defect = new Error('defect');
    server = new FakeApiServer(open(added('a', 3)));
    await server.start();
    const spec = {
      path: PODS,
      project: () => {
        throw defect;
      },
    };
    watching = watchResource(server.transport, spec, () => undefined, { signal: stop.signal, timing: FAST });
    await expect(watching).rejects.toBe(defect);
    expect(server.queries).toHaveLength(1);
  });

  it('resolves when the signal aborts, and leaves no listener behind', async () => {
    await watch([open(added('a', 3), initialEnd(7))]);
    await tells(2);
    expect(getEventListeners(stop.signal, 'abort').length).toBeGreaterThan(0);
    stop.abort();
    await watching;
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
  });

  it('tells nothing more once the signal has aborted', async () => {
    server = new FakeApiServer(open(added('a', 3), added('b', 4), initialEnd(7)));
    await server.start();
    listeners.push(() => stop.abort());
    follow(server.transport);
    await watching;
    expect(told).toEqual(['+a']);
  });

  it('does nothing with a signal that has aborted', async () => {
    stop.abort();
    await watch([]);
    await watching;
    expect(server.queries).toHaveLength(0);
  });
});
