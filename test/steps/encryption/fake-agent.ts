import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { PodView } from '../../../src/rollout/pod.ts';

/** What one agent has read, and what it does with it. */
export interface Agent {
  pod: PodView;
  isServer: boolean;
  /** Files of its Secrets in the pod. */
  files: { gossip: Files; tls: Files };
  gossip: { keys: string[]; sends: boolean; strict: boolean };
  tls: Tls;
  isAway: boolean;
  /** That look at the files of the pod, each time that these change. */
  commands: Set<() => void>;
  /** Restarts and reloads. */
  restarts: number;
  reloads: number;
}

export type Files = Record<string, string>;

interface Tls {
  ca: string;
  certificate: string;
  key: string;
  incoming: boolean;
  outgoing: boolean;
  /** It had a certificate when it started, and has told the others so. */
  isAnnounced: boolean;
}

/** What `/v1/agent/self` says. */
export function self({ pod, isServer, gossip, tls }: Agent): object {
  return {
    Config: { Datacenter: 'dc1', NodeName: pod.name, NodeID: 'an-id', Server: isServer, Version: '1.22.7' },
    DebugConfig: {
      DNSDomain: 'consul.',
      HTTPAddrs: ['tcp://127.0.0.1:8500'],
      TLS: { InternalRPC: { VerifyIncoming: tls.incoming, VerifyOutgoing: tls.outgoing } },
    },
    Member: { Tags: { ...(tls.isAnnounced && { use_tls: '1' }) } },
    Stats: { raft: { term: '7' }, serf_lan: { encrypted: String(gossip.keys.length > 0) } },
  };
}

/** The files of a Secret. */
export function textOf(secret: KubernetesObject | undefined): Files {
  const data = (secret?.data ?? {}) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
  );
}
