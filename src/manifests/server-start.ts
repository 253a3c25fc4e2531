import type { Config } from '../config/config.ts';
import { roleName } from './name.ts';
import { GUARD_SETTINGS, type GuardSettings, guardScript } from './server-guard.ts';

/**
 * So long the pod's network outlives its agent, in seconds. A leader that is refused tries again after 1.3, 2.0 and 3.3 s
 * (each wait about twice the last: https://github.com/hashicorp/raft/blob/v1.7.3/replication.go); after the network's end
 * it takes up to a second until the Service leads to it no more. So that second falls between two tries.
 */
const LINGER_SECONDS = 2.1;
/**
 * So long an agent may take to stop, in seconds. It stays where its Raft waits for a dial that nobody answers, up to 10 s.
 * What it has acknowledged is on its disk by then.
 */
const STOP_SECONDS = 2;

/**
 * Shell, the first process of a server that advertises its Service's address: the guard first, then the agent with the
 * arguments of the container, by the image's entry point where there is one.
 *
 * After a stop it stays for a moment. The Service leads to the pod a little longer than the pod lives; while the pod's
 * network is there, whoever dials the agent that has ended is refused at once. Without it a dial of the leader goes into
 * the void, and Raft waits its 10 s.
 */
export function startScript(config: Config, settings: GuardSettings = GUARD_SETTINGS): string {
  return `
set -f
trap 'exit 143' TERM INT
${guardScript(config, settings)}
guard
stopped=
stop() {
  [ -z "$stopped" ] || return
  stopped=1
  kill -TERM "$agent" 2>/dev/null
  (sleep ${STOP_SECONDS}; kill -KILL "$agent") >/dev/null 2>&1 &
}
if command -v docker-entrypoint.sh >/dev/null; then
  docker-entrypoint.sh "$@" &
else
  consul "$@" -data-dir=/consul/data -config-dir=/consul/config &
fi
agent=$!
# A shell's child in the background ignores INT.
trap stop TERM INT
trap 'kill -HUP "$agent" 2>/dev/null' HUP
while :; do
  wait "$agent"
  status=$?
  kill -0 "$agent" 2>/dev/null || break
done
if [ -n "$stopped" ] || [ "$status" = 0 ]; then sleep ${LINGER_SECONDS}; fi
exit "$status"`.trim();
}

/** The container's command; its arguments go to the agent. */
export function startCommand(config: Config): string[] {
  return ['/bin/sh', '-c', startScript(config), roleName(config, 'server')];
}
