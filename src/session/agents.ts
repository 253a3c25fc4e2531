import { ConsulClient } from '../consul/client.ts';
import type { Dial } from '../consul/connection.ts';
import type { Transport } from '../kubernetes/http/transport.ts';
import { openPortForward } from '../kubernetes/streams/portforward.ts';
import type { PodView } from '../rollout/pod.ts';

const HTTP_PORT = 8500;
const HTTPS_PORT = 8501;
const DNS_PORT = 8600;
const GOSSIP_PORT = 8301;
const RPC_PORT = 8300;

/** Connections to agents through port-forwards, one client a pod, kept while the pod lives. */
export class Agents {
  readonly #transport: Transport;
  readonly #namespace: string;
  readonly #clients = new Map<string, ConsulClient>();

  constructor(transport: Transport, namespace: string) {
    this.#transport = transport;
    this.#namespace = namespace;
  }

  /** The client of this very pod: one of the same name that came later gets another. */
  client({ uid, name }: Pick<PodView, 'uid' | 'name'>): ConsulClient {
    let client = this.#clients.get(uid);
    if (!client) {
      client = new ConsulClient({ name, dial: this.#dial(name, HTTP_PORT) });
      this.#clients.set(uid, client);
    }
    return client;
  }

  dns({ name }: PodView): Dial {
    return this.#dial(name, DNS_PORT);
  }

  gossip({ name }: Pick<PodView, 'name'>): Dial {
    return this.#dial(name, GOSSIP_PORT);
  }

  rpc({ name }: Pick<PodView, 'name'>): Dial {
    return this.#dial(name, RPC_PORT);
  }

  https({ name }: Pick<PodView, 'name'>): Dial {
    return this.#dial(name, HTTPS_PORT);
  }

  /** Ends the connections to pods that are no more. */
  keep(pods: readonly PodView[]): void {
    const alive = new Set(pods.map(({ uid }) => uid));
    for (const [uid, client] of this.#clients) {
      if (alive.has(uid)) continue;
      client.close();
      this.#clients.delete(uid);
    }
  }

  /**
   * Ends the connections to an agent that has been restarted in its pod: a port-forward tells of their end only a second
   * later.
   */
  renew({ uid }: Pick<PodView, 'uid'>): void {
    this.#clients.get(uid)?.close();
    this.#clients.delete(uid);
  }

  close(): void {
    this.keep([]);
  }

  #dial(pod: string, port: number): Dial {
    return (signal) => openPortForward(this.#transport, { namespace: this.#namespace, pod, port, signal });
  }
}
