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
leader() { curl -s -m 1 http://127.0.0.1:${httpPort}/v1/status/leader; }
end=$(($(date +%s) + 4))
[ "$(leader)" = "\\"$own:${raftPort}\\"" ] || exit 0
curl -sf -m 2 -o /dev/null -X POST http://127.0.0.1:${httpPort}/v1/operator/raft/transfer-leader || exit 0
while [ "$(date +%s)" -lt "$end" ]; do
  case $(leader) in '""' | "\\"$own:${raftPort}\\"") sleep 0.1 ;; *) exit 0 ;; esac
done`.trim();
  return { exec: { command: ['/bin/sh', '-c', script] } };
}
