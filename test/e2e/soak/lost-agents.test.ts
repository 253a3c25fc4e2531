import { afterAll, beforeAll, describe, it } from 'vitest';
import { kubectl, namespaceName, removeNamespace } from '../kubernetes/cluster.ts';
import { CLIENT_NAMES, SERVER_NAMES, Survivor } from './survivor.ts';

/**
 * What happens to a cluster on a bad day, and nobody there to help: the action deploys it once, and is not run again.
 * docs/design/healing.md says what heals each fault; heal.test.ts has those that take minutes.
 */
const cluster = new Survivor(namespaceName('heal'));

beforeAll(() => cluster.deploy());
afterAll(() => removeNamespace(cluster.namespace));

describe('a cluster that is left alone heals', () => {
  it('all three servers deleted at once', () =>
    cluster.survives('all servers', () => cluster.delete(...SERVER_NAMES)));

  it('a server and a client that were told to leave', () =>
    cluster.survives('leave', async () => {
      const leaving = ['consul-server-1', 'consul-client-3'];
      const found = await Promise.all(leaving.map((name) => cluster.pod(name)));
      await Promise.all(leaving.map((name) => cluster.shell(name, 'consul leave')));
      return new Map(found.map(({ metadata }) => [metadata.uid, 1]));
    }));

  it('a server that comes back with an empty volume', () =>
    cluster.survives('wiped', async () => {
      // Deleted first, it is kept until the pod is gone, and then recreated for the next one.
      await kubectl('-n', cluster.namespace, 'delete', 'pvc', 'data-consul-server-2', '--wait=false');
      await cluster.delete('consul-server-2');
      return undefined;
    }));

  it('all clients deleted at once', () =>
    cluster.survives('all clients', () => cluster.delete(...CLIENT_NAMES)));

  it('and in the end Kubernetes has all pods ready', async () => {
    await cluster.ready();
  });
});
