import { expect, test } from 'vitest';
import { missingServers } from '../../../src/steps/drift/missing-servers.ts';
import { object } from '../../inventory/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const set = (name: string, replicas: number) => object('StatefulSet', name, {}, { spec: { replicas } });
const SERVERS = set('consul-server', 3);
const CLIENTS = set('consul-client', 2);
const daemons = object('DaemonSet', 'consul-client', {}, { spec: {} });

test.each([
  ['all there', [SERVERS, CLIENTS], [SERVERS, CLIENTS], undefined, ''],
  ['fewer clients', [SERVERS, CLIENTS], [SERVERS, set('consul-client', 1)], undefined, ''],
  ['more servers', [SERVERS], [set('consul-server', 5)], undefined, ''],
  [
    'fewer servers',
    [SERVERS],
    [set('consul-server', 0)],
    'quorum',
    'asks for 0 servers, and 3 were deployed',
  ],
  ['no servers', [SERVERS, CLIENTS], [CLIENTS], 'quorum', 'StatefulSet/consul-server is gone'],
  ['no clients', [SERVERS, daemons], [SERVERS], undefined, ''],
  ['no servers, and no record of them', [CLIENTS], [CLIENTS], 'quorum', 'StatefulSet/consul-server is gone'],
  ['another object is gone', [SERVERS, object('Service', 'consul-ui')], [SERVERS], undefined, ''],
])('a verification before it looks at the cluster: %s', (_, deployed, live, reason, words) => {
  const failure = missingServers(startRun().run, { deployed, live });
  expect(failure?.reason).toBe(reason);
  expect(failure?.what ?? '').toContain(words);
});
