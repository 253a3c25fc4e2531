import { expect, test } from 'vitest';
import { presentOf, untilAbsent, watchAbsence } from '../../../src/consul/catalog/absence.ts';
import { signal } from '../../kubernetes/fake-server.ts';
import { clientOf, type FakeRequest, fakeConsul } from '../fake-consul.ts';

/** A catalog whose blocking queries end when it changes. */
async function catalog(nodes: Record<string, string[]>) {
  let index = 10;
  let changed = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const fake = await fakeConsul(async ({ path, query, gone }: FakeRequest) => {
    const known = Number(query.get('index') ?? 0);
    if (known === index) {
      held.resolve();
      const left = new Promise<void>((resolve) => gone.addEventListener('abort', () => resolve()));
      await Promise.race([changed.promise, left]);
    }
    const headers = { 'x-consul-index': String(index) };
    const [, , , kind = '', node = ''] = path.split('/');
    if (kind === 'nodes')
      return { headers, body: Object.keys(nodes).map((Node) => ({ Node, Address: '10.0.0.1', Meta: null })) };
    if (kind === 'services') return { headers, body: {} };
    const ids = nodes[decodeURIComponent(node)];
    return { headers, body: ids ? { Services: ids.map((ID) => ({ ID, Service: ID })) } : null };
  });
  return {
    server: clientOf(fake),
    /** Resolves when somebody waits for a change. */
    watched: held.promise,
    change: (next: Record<string, string[]>) => {
      for (const name of Object.keys(nodes)) delete nodes[name];
      Object.assign(nodes, next);
      index += 1;
      changed.resolve();
      changed = Promise.withResolvers();
    },
  };
}

const NODE = { node: 'a b' };
const SERVICE = { node: 'c', service: 'x' };

test('tells existing nodes and services from missing ones', async () => {
  const { server } = await catalog({ 'a b': [], c: ['x'] });
  const asked = [NODE, SERVICE, { node: 'd' }, { node: 'c', service: 'y' }, { node: 'd', service: 'x' }];
  expect(await presentOf(server, asked, signal())).toEqual([NODE, SERVICE]);
});

test('waits until they are gone, and says what is not after a while', async () => {
  const gone = await catalog({ c: [] });
  expect(await untilAbsent(gone.server, [NODE, SERVICE], 60_000, signal())).toEqual([]);
  const stays = await catalog({ c: ['x'] });
  expect(await untilAbsent(stays.server, [NODE, SERVICE], 0, signal())).toEqual([SERVICE]);
});

test('looks again until the last of them is gone', async () => {
  const { server, change } = await catalog({ 'a b': [], c: ['x'] });
  const absent = untilAbsent(server, [NODE, SERVICE], 60_000, signal());
  expect(await presentOf(server, [NODE, SERVICE], signal())).toEqual([NODE, SERVICE]);
  change({ c: ['x'] });
  expect(await presentOf(server, [NODE, SERVICE], signal())).toEqual([SERVICE]);
  change({ c: [] });
  expect(await absent).toEqual([]);
});

test('a catalog that cannot be read is no absence', async () => {
  const fake = await fakeConsul(() => ({ status: 403, text: 'Permission denied' }));
  const watch = watchAbsence(clientOf(fake), [NODE], 600_000, signal());
  await expect(watch).rejects.toMatchObject({ what: expect.stringContaining('403') });
});

test.each([
  ['a node', { 'a b': [], c: [] }, [NODE]],
  ['a service', { c: ['x'] }, [SERVICE]],
])('%s that comes back ends the watch at once', async (_, next, expected) => {
  const { server, change, watched } = await catalog({ c: [] });
  const back = watchAbsence(server, [NODE, SERVICE], 600_000, signal());
  await watched;
  change(next);
  expect(await back).toEqual(expected);
});

test('nothing comes back: the watch lasts as long as it is to', async () => {
  const { server, watched } = await catalog({ c: ['y'] });
  const back = watchAbsence(server, [NODE, SERVICE], 300, signal());
  await watched;
  expect(await back).toEqual([]);
});

test('ends with the run', async () => {
  const { server, watched } = await catalog({ c: [] });
  const run = new AbortController();
  const back = watchAbsence(server, [NODE], 600_000, run.signal);
  const ended = expect(back).rejects.toThrow('the run is over');
  await watched;
  run.abort(new Error('the run is over'));
  await ended;
});
