/**
 * What an agent does with RPC to the servers:
 *
 * | state | dials with | a server takes |
 * |---|---|---|
 * | off | plaintext | plaintext |
 * | present | plaintext | both |
 * | outgoing | TLS | both |
 * | enforced | TLS | TLS |
 *
 * Agents understand each other when their states are neighbours in this order: a client that dials with TLS needs servers
 * that are at least `present`, and a server that enforces it clients that are at least `outgoing`.
 */
export const TLS_STATES = ['off', 'present', 'outgoing', 'enforced'] as const;
export type TlsState = (typeof TLS_STATES)[number];

/** What is seen of one agent. */
export interface RpcSeen {
  /** Says of itself that it dials with TLS; a reload changes both at once. */
  dialsWithTls: boolean;
  /** Of a server. */
  server?: {
    takesPlaintext: boolean;
    /** It serves the certificate that it is to have. */
    servesOurs: boolean;
    /** It has told the others, when it started, that it can do TLS. */
    isAnnounced: boolean;
  };
}

/**
 * How far an agent has come on a way. A client that does not dial with TLS needs nothing but the next reload, so it counts
 * as one step before; one that does has come to its end.
 */
export function tlsStateOf({ dialsWithTls, server }: RpcSeen, goal: 'off' | 'enforced'): TlsState {
  if (!server) {
    if (goal === 'enforced') return dialsWithTls ? 'enforced' : 'present';
    return dialsWithTls ? 'outgoing' : 'off';
  }
  if (!server.takesPlaintext) return 'enforced';
  if (dialsWithTls) return 'outgoing';
  // On the way back it does not matter any more whose certificate it shows.
  return server.isAnnounced && (goal === 'off' || server.servesOurs) ? 'present' : 'off';
}
