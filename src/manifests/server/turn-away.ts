import type { GuardSettings } from './guard.ts';

/** In the data directory: configuration that a server reads after all other, for the last moment before it stops. */
const DIRECTORY = 'stop';

/**
 * So long a server that is about to stop refuses new writes, in seconds. What it holds from a moment in which nobody led it
 * passes on within `RPCHoldTimeout` / `JitterFraction`
 * (https://github.com/hashicorp/consul/blob/v1.22.7/agent/consul/rpc.go), which is 0.4375 s.
 */
export const TURN_AWAY_SECONDS = 0.5;

/**
 * Consul's own limit on requests. A server that has reached it refuses before it has done anything, and says so: then the
 * client agent tries the same write at another server, and goes on there
 * (https://github.com/hashicorp/consul/blob/v1.22.7/agent/consul/client.go). A write that is on its way through a server
 * that stops fails, since nobody knows whether it was done. Reads need nothing of this: they are tried again.
 */
const REFUSE_WRITES = '{"limits":{"request_limits":{"mode":"enforcing","read_rate":-1,"write_rate":0}}}';

/**
 * Shell: `turn_away` has the writes of client agents go to another server, until what is on its way through this one is
 * done. It takes less than a second, and what fails leaves the stop as it was. `accept_again` comes before every start, and
 * leaves in `last` the argument by which the agent reads that folder: it is empty then, whoever can write to the volume, and
 * without it where the volume is full.
 */
export function turnAwayScript({ dataDirectory }: Pick<GuardSettings, 'dataDirectory'>): string {
  const directory = `${dataDirectory}/${DIRECTORY}`;
  return `
turn_away() {
  echo '${REFUSE_WRITES}' >"${directory}/limits.json" && kill -HUP "$agent" && sleep ${TURN_AWAY_SECONDS}
}
accept_again() {
  last=
  rm -rf "${directory}" && mkdir "${directory}" && last="-config-dir=${directory}"
}`.trim();
}
