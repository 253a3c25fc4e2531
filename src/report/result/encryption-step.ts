/** What a deploy has yet to do to the agents that run. section/plan-line.ts has the words. */
export type EncryptionStep =
  | { is: 'way'; what: 'gossip' | 'rpc'; from: string; to: string }
  | { is: 'key-into-secret' }
  | { is: 'another-key' }
  | { is: 'another-authority' };
