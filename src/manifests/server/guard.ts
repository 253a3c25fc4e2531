import type { Config } from '../../config/config.ts';
import { DATA_DIRECTORY, recordName, serverNames } from '../name.ts';
import { serviceVariable } from '../service-variable.ts';
import { ASK_SETTINGS, type AskSettings, askServer } from './ask.ts';

/** What a test sets to other values; a deployed server has these. */
export interface GuardSettings extends AskSettings {
  dataDirectory: string;
  raftPort: number;
  /** Between two questions. */
  pauseSeconds: number;
}

export const GUARD_SETTINGS: GuardSettings = {
  ...ASK_SETTINGS,
  dataDirectory: DATA_DIRECTORY,
  raftPort: 8300,
  pauseSeconds: 1,
};

/**
 * Shell: holds a server back that has lost its data, until no other server counts it as a voter any more.
 *
 * Such a server answers at the address of the one that it was. Raft finds a peer by its address where it does not find
 * its id, and a server with an empty configuration grants every vote
 * (https://github.com/hashicorp/raft/blob/v1.7.3/raft.go#L1642). So it would vote in the name of the lost one, and could
 * elect a server that has not got what the lost one had acknowledged.
 *
 * The others are asked for their Raft peers, which each tells from its own log, without a leader and without a token.
 * - All that count somebody, and a majority of those they count, leave this server out: it starts, and joins as a new one.
 * - They count it, and have a leader: it has the leader remove the lost one, and looks again.
 * - They count it, and have no leader: it waits. The lost vote can only come from its data.
 * - Nobody counts anybody: a new cluster, which forms; but where the cluster has formed before (`FORMED`), silence is no
 *   answer, so it waits.
 */
export function guardScript(config: Config, settings: GuardSettings = GUARD_SETTINGS): string {
  const { dataDirectory, raftPort, pauseSeconds } = settings;
  const names = serverNames(config);
  const address = (name: string) => `"$${serviceVariable(name)}"`;
  // Within double quotes of the shell.
  const emptyCluster = `kubectl -n ${config.namespace} patch configmap ${recordName(config.name)} --type=json -p '[{\\"op\\":\\"remove\\",\\"path\\":\\"/data/formed\\"}]'`;
  return `
# With time and level, as Consul writes them: a reader of the log knows how old it is.
say() { echo "$(date -u +%Y-%m-%dT%H:%M:%S.000Z) [$1] consul-deploy: $2"; }
hold() {
  now=$(date +%s)
  [ "$now" -ge "$said" ] || return
  said=$((now + 10))
  say WARN "not started: the data directory is empty, $1 No answer:\${silent:- none}."
}
host() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }
limit=1
[ -z "$FORMED" ] || limit=3
${askServer(config, settings)}
get() { server "$1" "$2" -f -m "$limit"; }
case $POD_NAME in
${names.map((name) => `${name}) own=${address(name)} ;;`).join('\n')}
esac
if [ -z "$own" ]; then say ERROR "the address of this server's Service is not known yet"; exit 1; fi
me="\\"$(host "$own"):${raftPort}\\""
ask() {
  leader=
  if peers=$(get "$2" status/peers); then leader=$(get "$2" status/leader); else peers=; fi
  echo "$1 $2 \${peers:--} \${leader:--}"
}
look() {
  answers=$(
${names.map((name) => `    [ "$POD_NAME" = ${name} ] || ask ${name} ${address(name)} &`).join('\n')}
    wait
  )
  counting='' free=0 most=0 answering=0 leader='' silent='' guide=''
  set -- $answers
  while [ $# -ge 4 ]; do
    case $3 in
      '[]' | null) ;;
      '['*)
        answering=$((answering + 1))
        voters=$(echo "$3" | tr ',' '\\n' | grep -c '"')
        [ "$voters" -gt "$most" ] && most=$voters
        case $3 in *"$me"*) counting="$counting \${1}" ;; *) free=$((free + 1)) ;; esac
        # That the lost one leads is only what its others have not yet noticed.
        case $4 in "$me") ;; '"'*':'*'"') leader=$4; guide=$2 ;; esac
        ;;
      *) silent="$silent \${1}" ;;
    esac
    shift 4
  done
}
remove() {
  id=$(get "$guide" operator/raft/configuration | tr '{' '\\n' | grep "\\"Address\\":$me" | sed -n 's/.*"ID":"\\([^"]*\\)".*/\\1/p')
  if [ -z "$id" ]; then hold "and the leader does not name the voter that was lost."; return; fi
  if server "$guide" "operator/raft/peer?id=$id" -f -m 10 -o /dev/null -X DELETE; then
    say INFO "the leader has removed the voter $id, whose data was lost here"
  else
    hold "and the leader did not remove the voter $id, whose data was lost here."
  fi
}
guard() {
  for log in raft.db wal/wal-meta.db; do [ -s "${dataDirectory}/raft/$log" ] && return; done
  said=0
  while :; do
    look
    if [ -z "$counting" ] && [ "$answering" -gt 0 ] && [ "$free" -gt $((most / 2)) ]; then return; fi
    if [ "$answering" = 0 ] && [ -z "$FORMED" ]; then return; fi
    if [ -n "$counting" ] && [ -n "$leader" ] && [ "$answering" -gt $(((most - 1) / 2)) ]; then
      remove
    elif [ -n "$counting" ]; then
      hold "and$counting still count this server as a voter. Without a leader it would vote in the name of the one whose data was lost."
    elif [ "$answering" = 0 ]; then
      hold "this cluster has formed before, and no other server says who votes. If the data of all servers is lost: ${emptyCluster}, then delete the pods of the servers; an empty cluster forms."
    else
      hold "and too few servers say who votes."
    fi
    sleep ${pauseSeconds}
  done
}`.trim();
}
