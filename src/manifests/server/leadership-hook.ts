/** On a busy machine an answer may take its second: then the agent is asked again, since it may lead all the same. */
const CURL_TIMEOUT = 28;

/**
 * Shell, before a server is stopped by anybody: a leader hands over to the server that Raft finds up to date, so that
 * nobody waits for an election. A follower does nothing: its call would be forwarded, and unseat the leader.
 * It takes at most five seconds, and what fails (ACLs, no other server) leaves the stop as it was.
 * @param address shell: the address that this server advertises
 */
export function leadershipHook(address: string, httpPort = 8500, raftPort = 8300): Record<string, unknown> {
  const script = `
own=${address}
case $own in *:*) own="[$own]" ;; esac
end=$(($(date +%s) + 3))
asked=
while [ "$(date +%s)" -lt "$end" ]; do
  leader=$(curl -s -m 1 http://127.0.0.1:${httpPort}/v1/status/leader)
  case $? in 0) ;; ${CURL_TIMEOUT}) continue ;; *) exit 0 ;; esac
  case $leader in
  "\\"$own:${raftPort}\\"")
    if [ -z "$asked" ]; then
      curl -sf -m 1 -o /dev/null -X POST http://127.0.0.1:${httpPort}/v1/operator/raft/transfer-leader
      case $? in 0 | ${CURL_TIMEOUT}) asked=1 ;; *) exit 0 ;; esac
    fi
    ;;
  '""') [ "$asked" ] || exit 0 ;;
  *) exit 0 ;;
  esac
  sleep 0.1
done`.trim();
  return { exec: { command: ['/bin/sh', '-c', script] } };
}
