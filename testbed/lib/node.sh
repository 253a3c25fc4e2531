# A node: containerd, kubelet and kube-proxy in their own pid, mount, uts, ipc and network namespaces.
# shellcheck shell=bash

start_node() {
  local i=$1
  make_node_cgroups "$i"
  mkdir -p "$(node_dir "$i")"
  # --kill-child: when the outer process dies, so does the node's PID 1, and with it all of the node.
  spawn "node$i" "n$i/system" \
    nsenter "--net=/run/netns/$(node_ns "$i")" \
    unshare --mount --propagation private --pid --fork --kill-child=KILL --uts --ipc \
    "$TESTBED/node/init" "$i" "$BED" "$CGROUP" \
    "$(node_ip "$i")" "$(in_url "$HOST_IP")" "$(node_pods "$i")" "$PODS" "$ANY_IP" "$DNS_IP" "$NODE_MEMORY_MI"
}

# crash_node I: as if the plug had been pulled: no goodbye, nothing flushed.
crash_node() {
  end_process "node$1"
  end_cgroup "n$1"
}

return_node() {
  remove_cgroups "n$1"
  start_node "$1"
}

node_ready() {
  [ "$(kube get node "n$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

wait_for_node() {
  NEEDS=node$1 wait_for "node n$1 to be Ready" "${2:-90}" "$(node_dir "$1")/kubelet.log" node_ready "$1"
}

need_node() {
  [[ ${1:-} =~ ^[1-9]$ ]] && [ "$1" -le "$NODES" ] || die "which node? '${1:-}' is none of 1 to $NODES"
}
