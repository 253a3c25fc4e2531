const INTERVAL_MS = 60_000;
/** Up to so many members agents compare themselves with the catalog once in an interval. */
const THRESHOLD = 128;

/**
 * The longest time until every agent has compared what it holds with the catalog: an interval, and on top of it a random
 * part of as many intervals as the size of the cluster asks for, one more with every doubling.
 * https://github.com/hashicorp/consul/blob/v1.22.7/agent/ae/ae.go (scaleFactor, resetNextFullSyncCh)
 */
export function roundMs(members: number): number {
  const factor = members <= THRESHOLD ? 1 : Math.ceil(Math.log2(members) - Math.log2(THRESHOLD)) + 1;
  return INTERVAL_MS * (1 + factor);
}
