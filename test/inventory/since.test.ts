import { expect, test } from 'vitest';
import { since } from '../../src/inventory/since.ts';
import { runRecord } from './fixture.ts';

const before = runRecord({ restarts: { s0: 0, s1: 2, c1: 4 } });
const state = (name: string, uid: string, restarts: number) => ({ name, uid, restarts });

test('nothing happened', () => {
  const servers = [state('server-0', 's0', 0), state('server-1', 's1', 2)];
  const clients = [state('client-0', 'c0', 0), state('client-1', 'c1', 4)];
  expect(since(before, { servers, clients })).toEqual([]);
});

test.each([
  [
    'a server restarted',
    [state('server-1', 's1', 5)],
    [],
    { pod: 'server-1', uid: 's1', restarts: 3, isNew: false },
  ],
  [
    'a server was replaced',
    [state('server-0', 'x', 0)],
    [],
    { pod: 'server-0', uid: 'x', restarts: 0, isNew: true },
  ],
  [
    'a server was replaced and restarted since',
    [state('server-0', 'x', 1)],
    [],
    { pod: 'server-0', uid: 'x', restarts: 1, isNew: true },
  ],
  [
    'a client restarted again',
    [],
    [state('client-1', 'c1', 5)],
    { pod: 'client-1', uid: 'c1', restarts: 1, isNew: false },
  ],
  [
    'a client that had none, or was not there, restarted',
    [],
    [state('client-0', 'c0', 1)],
    { pod: 'client-0', uid: 'c0', restarts: 1, isNew: false },
  ],
])('%s', (_, servers, clients, expected) => {
  expect(since(before, { servers, clients })).toEqual([expected]);
});
