import type { Config } from '../config/config.ts';
import { MARKER_FILE } from './config/reload.ts';
import { topLevelSettings } from './config/top-level.ts';
import { GOSSIP_FILES } from './gossip.ts';
import type { Role } from './label.ts';
import { CONFIG_DIRECTORY, roleName } from './name.ts';
import { serverAddresses } from './server/address.ts';
import { GUARD_SETTINGS, type GuardSettings, guardScript } from './server/guard.ts';
import { turnAwayScript } from './server/turn-away.ts';

/**
 * So long the pod's network outlives a server, in seconds. A leader that is refused tries again 0.7, 1.3, 2.6 and 5.2 s
 * after the agent's end (each wait is twice the last:
 * https://github.com/hashicorp/raft/blob/v1.7.3/replication.go). The network ends 0.25 s after the last process, later on a
 * busy machine, and the Service leads there for 0.1 to 0.5 s more. So that time falls between the try at 1.3 s and that at
 * 2.6 s, and the new agent listens before the one at 5.2 s. What misses one of them comes back 5 to 10 s late.
 */
const LINGER_SECONDS = 1.3;
/** A stop that is announced by `USR2` comes within so many seconds, or is another one. */
const ANNOUNCED_SECONDS = 30;
/**
 * So long a server may take to stop, in seconds. It stays where its Raft waits for a dial that nobody answers, up to 10 s.
 * What it has acknowledged is on its disk by then.
 */
const STOP_SECONDS = 2;
/** `terminationGracePeriodSeconds` of a server. */
export const SERVER_GRACE_SECONDS = 30;
/**
 * The same for a server that leaves the cluster when it stops, as the user's own configuration may say: that takes up to
 * 15 s (https://github.com/hashicorp/consul/blob/v1.22.7/command/agent/agent.go), and one that is ended before has left by
 * half. What is left of the pod's time is for the preStop hook, which takes up to 5 s, and for the network.
 */
const LEAVE_SECONDS = 22;

/**
 * Shell, the first process of every agent's container: the guard where there is one, then the agent with the arguments of
 * the container, by the image's entry point where there is one. `USR1` ends the agent and starts it again: it keeps its
 * pod, its address and its data directory, and reads its files anew. `USR2` announces that the container is about to be
 * stopped and started again in the same pod, with another image: then the agent ends at once, and does not leave the cluster.
 *
 * A server sends writers away before it stops (server/turn-away.ts). One that advertises its Service's address stays for a
 * moment after a stop. The Service leads to the pod a little longer than the pod lives; while the pod's network is there,
 * whoever dials the agent that has ended is refused at once. Without it a dial of the leader goes into the void, and Raft
 * waits its 10 s.
 */
export function startScript(config: Config, role: Role, settings: GuardSettings = GUARD_SETTINGS): string {
  const ofService = role === 'server' && serverAddresses(config) !== 'pod';
  const leaves = topLevelSettings(config.serverConfig).get('leave_on_terminate') === 'true';
  const stopSeconds = leaves ? LEAVE_SECONDS : STOP_SECONDS;
  const turnAway = role === 'server' ? '  turn_away 2>/dev/null' : '';
  return `
set -f
again=
trap 'exit 143' TERM INT
trap 'again=1' USR1
announced=0
trap 'announced=$(date +%s)' USR2
comes_back() { [ $(($(date +%s) - announced)) -lt ${ANNOUNCED_SECONDS} ]; }
${ofService ? `${guardScript(config, settings)}\nguard` : ''}
${keyringScript(role, settings)}
${startedWithScript(settings)}
${role === 'server' ? `${temporaryFilesScript(settings)}\n${turnAwayScript(settings)}` : ''}
# Whoever it has started goes first: an init of the image does not pass KILL on.
end() {
  set +f
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    parent=\${line##*) ? }
    [ "\${parent%% *}" = "$agent" ] && kill -KILL "\${line%% *}"
  done
  set -f
  kill -KILL "$agent"
}
stopped=
stop() {
  [ -z "$stopped" ] || return
  stopped=1
${turnAway}
  if comes_back; then end 2>/dev/null; return; fi
  kill -TERM "$agent" 2>/dev/null
${ofService ? `  (sleep ${stopSeconds}; end) >/dev/null 2>&1 &` : ''}
}
restart() {
  again=1
${turnAway}
  end 2>/dev/null
}
while :; do
  again=
  early=
  trap 'early=1' TERM INT
  keyring
  started_with
${role === 'server' ? '  temporary_files\n  accept_again' : ''}
  [ -z "$early$stopped" ] || exit 143
  if command -v docker-entrypoint.sh >/dev/null; then
    docker-entrypoint.sh "$@" \${last:+"$last"} &
  else
    consul "$@" -data-dir=/consul/data -config-dir=${CONFIG_DIRECTORY} \${last:+"$last"} &
  fi
  agent=$!
  # A shell's child in the background ignores INT.
  trap stop TERM INT
  trap restart USR1
  trap 'kill -HUP "$agent" 2>/dev/null' HUP
  # One that came before this agent was there to be ended.
  [ -z "$early$stopped" ] || { stopped=; stop; }
  [ -z "$again" ] || restart
  while :; do
    wait "$agent"
    status=$?
    kill -0 "$agent" 2>/dev/null || break
  done
  if [ -n "$stopped" ] || [ -z "$again" ]; then break; fi
done
[ -z "$stopped" ] || ! comes_back || exit 0
${ofService ? `if [ -n "$stopped" ] || [ "$status" = 0 ]; then sleep ${LINGER_SECONDS}; fi` : ''}
exit "$status"`
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
}

/**
 * Shell: the keyring of the Secret takes the place of the agent's own before every start, and goes when the Secret says
 * so. A Secret that is gone says nothing. An agent that finds a keyring heeds no `encrypt`, so a key that has changed would
 * never reach it, nor would the end of encryption (\`setupBaseKeyrings\` in https://github.com/hashicorp/consul/blob/v1.22.7/agent/keyring.go). A keyring that
 * did not come from the Secret is left alone.
 */
function keyringScript(role: Role, { dataDirectory, configDirectory }: GuardSettings): string {
  const rings = role === 'server' ? 'local remote' : 'local';
  const from = (file: string) => `"${configDirectory}/${file}"`;
  return `
keyring() {
  serf="${dataDirectory}/serf"
  if [ -s ${from(GOSSIP_FILES.keyring)} ]; then
    mkdir -p "$serf"
    for ring in ${rings}; do
      (umask 077; cat ${from(GOSSIP_FILES.keyring)} >"$serf/$ring.new") && mv "$serf/$ring.new" "$serf/$ring.keyring"
    done
    : >"$serf/of-secret"
  elif [ -e ${from(GOSSIP_FILES.revision)} ] && [ -e "$serf/of-secret" ]; then
    rm -f "$serf/local.keyring" "$serf/remote.keyring" "$serf/of-secret"
  fi
}`.trim();
}

/**
 * Shell: where a server writes a snapshot before it sends it (`snapshot.New` in
 * https://github.com/hashicorp/consul/blob/v1.22.7/snapshot/snapshot.go): the root file system is read-only. It lies in the
 * data directory, since a volume of its own would make every `kubectl drain` ask for `--delete-emptydir-data`. What a server
 * that was killed has left there goes at its next start.
 */
function temporaryFilesScript({ dataDirectory }: GuardSettings): string {
  return `
export TMPDIR="${dataDirectory}/tmp"
temporary_files() {
  rm -rf "$TMPDIR"
  (umask 077; mkdir -p "$TMPDIR")
}`.trim();
}

/** In the data directory: the marker of the configuration that the agent has started with. */
export const STARTED_WITH = 'started-with.json';

/**
 * Shell: what the agent is about to start with is written down before every start, so that it can be told whether a setting
 * that is read only then has reached it. Files that are renewed in between are newer than what is written: then the agent is
 * started once more than it has to be.
 */
function startedWithScript({ dataDirectory, configDirectory }: GuardSettings): string {
  const [marker, written] = [`"${configDirectory}/${MARKER_FILE}"`, `"${dataDirectory}/${STARTED_WITH}"`];
  return `
started_with() {
  if [ -s ${marker} ]; then cat ${marker} >${written}; else rm -f ${written}; fi
}`.trim();
}

/** By this line of it another process can tell that it is the start script. */
export const START_SIGN = 'trap restart USR1';

/** The container's command; its arguments go to the agent. */
export function startCommand(config: Config, role: Role): string[] {
  return ['/bin/sh', '-c', startScript(config, role), roleName(config, role)];
}
