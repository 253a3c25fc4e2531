import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { Lock, type LockOptions } from '../../../src/kubernetes/lease/lease.ts';
import { type Call, connectTo, json, signal, startServer, status } from '../fake-server.ts';

export const COLLECTION = '/apis/coordination.k8s.io/v1/namespaces/consul/leases';

export interface Lease {
  metadata: { name: string; resourceVersion: string; labels?: object };
  spec: Record<string, unknown>;
}

/** One Lease with the API server's rules: created once, replaced only by who saw the last version. */
class LeaseStore {
  lease: Lease | undefined;
  /** Consulted before a call is served; true when it has answered. */
  intercept: (call: Call, response: ServerResponse) => boolean = () => false;
  #version = 0;

  serve(call: Call, response: ServerResponse): unknown {
    if (this.intercept(call, response)) return undefined;
    if (call.method === 'POST' && call.path === COLLECTION) {
      if (this.lease) return status(response, 409, { reason: 'AlreadyExists', message: 'there is one' });
      return json(response, 201, this.store(JSON.parse(call.body)));
    }
    if (call.path !== `${COLLECTION}/consul` || !this.lease)
      return status(response, 404, { reason: 'NotFound' });
    if (call.method === 'GET') return json(response, 200, this.lease);
    if (call.method === 'DELETE') return this.remove(call, response);
    const lease = JSON.parse(call.body) as Lease;
    if (lease.metadata.resourceVersion !== this.lease.metadata.resourceVersion) {
      return status(response, 409, { reason: 'Conflict', message: 'the object has been modified' });
    }
    return json(response, 200, this.store(lease));
  }

  remove(call: Call, response: ServerResponse): unknown {
    const { preconditions } = JSON.parse(call.body) as { preconditions: { resourceVersion: string } };
    if (preconditions.resourceVersion !== this.lease?.metadata.resourceVersion) {
      return status(response, 409, { reason: 'Conflict', message: 'Precondition failed' });
    }
    this.lease = undefined;
    return json(response, 200, {});
  }

  store(lease: { metadata: object; spec: Record<string, unknown> }): Lease {
    const metadata = { ...lease.metadata, name: 'consul', resourceVersion: String(++this.#version) };
    this.lease = { ...lease, metadata };
    return this.lease;
  }

  get holder(): unknown {
    return this.lease?.spec.holderIdentity;
  }
}

/** A server with such a Lease, and how a run gets the lock there. */
export async function setUp() {
  const store = new LeaseStore();
  const now = Date.now.bind(Date);
  const server = await startServer((call, response) => {
    response.setHeader('date', new Date(now()).toUTCString());
    return store.serve(call, response);
  });
  const transport = await connectTo(server.url);
  const acquire = async (holder: string, options: Partial<LockOptions> = {}) => {
    const lock = await Lock.acquire(transport, {
      namespace: 'consul',
      name: 'consul',
      holder,
      signal: signal(),
      onWait: () => undefined,
      ...options,
    });
    onTestFinished(() => lock.release());
    return lock;
  };
  return { store, server, acquire };
}

/** What a run has left that renewed so many milliseconds from now. */
export const held = (holder: string, renewed: number, seconds = 60) => ({
  metadata: { labels: { kept: 'yes' } },
  spec: {
    holderIdentity: holder,
    leaseDurationSeconds: seconds,
    acquireTime: '2026-01-02T03:04:05.000000Z',
    renewTime: new Date(Date.now() + renewed).toISOString().replace('Z', '000Z'),
    leaseTransitions: 4,
  },
});
