import type { Config } from '../../config/config.ts';
import type { AgentFacts } from '../../consul/agent/facts.ts';
import type { GossipOnWire } from '../../consul/gossip/wire.ts';
import { hasOwnKey } from '../../manifests/gossip.ts';
import { type Obstacle, podNames } from './obstacle-text.ts';

/** What is known of an old agent. */
interface Seen {
  pod: { name: string };
  facts?: AgentFacts;
  gossip?: GossipOnWire;
}

/**
 * New agents are strict from the start, with the key of the old ones. So these have to be strict, too: agents that know a
 * key and send plaintext would not be understood.
 */
export function gossipObstacles(config: Config, agents: readonly Seen[]): Obstacle[] {
  const encrypted = agents.filter(({ facts }) => facts?.encrypted);
  if (encrypted.length === 0) return [];
  const lax = encrypted.filter(({ gossip }) => gossip !== 'strict');
  const plain = agents.filter(({ facts }) => facts && !facts.encrypted);
  const own = hasOwnKey(config);
  return [
    ...(lax.length > 0
      ? [
          {
            what: `gossip has a key at ${podNames(lax)}, and it was not seen that nothing else is taken there`,
            cure: 'Set `encrypt_verify_outgoing` and then `encrypt_verify_incoming` to true, each with a restart of every agent; and let them listen for gossip at 127.0.0.1 as well (`bind_addr` 0.0.0.0), where it is looked at.',
          },
        ]
      : []),
    ...(plain.length > 0
      ? [
          {
            what: `gossip is encrypted, but not at ${podNames(plain)}`,
            cure: 'Give all agents the key first.',
          },
        ]
      : []),
    ...(own || config.gossipEncryption === 'false'
      ? [
          {
            what: `gossip is encrypted, and ${own ? '`server-config` or `client-config` sets `encrypt`' : '`gossip-encryption` is false'}`,
            cure: 'Leave that out: the key is taken from the agents. Change it in a later deploy.',
          },
        ]
      : []),
  ];
}
